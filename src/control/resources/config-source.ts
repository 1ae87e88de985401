/**
 * Where Envoy gets what a listener refers to: from the same aggregated stream, and without a time limit, so that a listener whose
 * routes or secrets are late warms up while the old one goes on serving.
 */
export const adsWithoutTimeout = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' } as const;

export const ads = { ads: {}, resource_api_version: 'V3' } as const;
