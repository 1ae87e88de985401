/** Client connections that one Envoy takes at a time: far above a fleet node's use and below its file descriptors (compose: 131,072). */
export const connectionLimit = 50_000;

/**
 * Envoy's default is 1024 connections and requests for each cluster, and every browser tab holds some tunnels: an office would meet that limit as
 * 503s. The limit on client connections bounds what can come of them, so a cluster needs none of its own; each connection of
 * HTTP/2 carries up to 100 requests.
 */
export const circuitBreakers = {
  thresholds: [
    {
      max_connections: 2 * connectionLimit,
      max_pending_requests: 2 * connectionLimit,
      max_requests: 100 * connectionLimit,
      max_retries: 1024,
    },
  ],
} as const;
