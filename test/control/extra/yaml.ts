/** YAML of Envoy resources for tests, one document each; line 1 of a document is its "@type". */

const type = (name: string) => `"@type": type.googleapis.com/${name}\n`;

export const hcmType = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
export const tcpProxyType = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

/** A filter of a chain, in flow style. */
export const filter = (name: string, fields = '') =>
  `{name: f, typed_config: {"@type": type.googleapis.com/${name}${fields && `, ${fields}`}}}`;
export const router = filter('envoy.extensions.filters.http.router.v3.Router');
/** An HTTP connection manager that answers by itself, unless told where its routes are. */
export const hcm = (
  routes = 'route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]}',
) => filter(hcmType, `stat_prefix: s, http_filters: [${router}], ${routes}`);

/** Line 2: name, line 3: address, line 4: the filters of its only chain. */
export const listener = (name: string, port: number, filters = hcm(), address = '127.0.0.1') =>
  `${type('envoy.config.listener.v3.Listener')}name: ${name}\n` +
  `address: {socket_address: {address: "${address}", port_value: ${port}}}\n` +
  `filter_chains: [{filters: [${filters}]}]\n`;

/** Line 3: the rest. */
export const cluster = (name: string, rest = 'connect_timeout: 1s') =>
  `${type('envoy.config.cluster.v3.Cluster')}name: ${name}\n${rest}\n`;
export const endpoints = (name: string) =>
  `${type('envoy.config.endpoint.v3.ClusterLoadAssignment')}cluster_name: ${name}\nendpoints: []\n`;
/** Line 3: the action of the only route. */
export const routes = (name: string, action: string) =>
  `${type('envoy.config.route.v3.RouteConfiguration')}name: ${name}\n` +
  `virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, ${action}}]}]\n`;
/** Line 3: what it is. */
export const secret = (name: string, rest: string) =>
  `${type('envoy.extensions.transport_sockets.tls.v3.Secret')}name: ${name}\n${rest}\n`;
export const extensionConfig = (name: string, config: string) =>
  `${type('envoy.config.core.v3.TypedExtensionConfig')}name: ${name}\ntyped_config: {"@type": type.googleapis.com/${config}}\n`;
