/**
 * The names that connect resources to each other and records to doors. One place, so that a reference and what it refers to
 * cannot drift apart.
 */
export const names = {
  /** The listener that people reach. */
  listener: (door: string) => `${door}/connect`,
  /** The listener that stands in for the console: behind the CONNECT of a forward door, or the one that people reach. */
  inside: (door: string) => `${door}/http`,
  /** The cluster that leads from the one to the other. */
  toInside: (door: string) => `${door}/inside`,
  /** Route configurations have the names of the listeners that use them. */
  connectRoutes: (door: string) => `${door}/connect`,
  httpRoutes: (door: string) => `${door}/http`,
  /** The leaf that a door shows in place of the console. */
  leaf: (door: string) => `leaf/${door}`,
  /** The certificate of the proxy itself (an HTTPS proxy). */
  proxy: (door: string) => `proxy/${door}`,
  /** The authorities of the people's client certificates. */
  users: (door: string) => `users/${door}`,
  /** Upstream by DNS, with HTTP/2 where the console offers it, and with HTTP/1.1 alone for WebSockets. */
  console: 'console',
  consoleHttp1: 'console/http1',
  /** The same without TLS of our own, for connections that pass undecrypted; `upstream` is `console` or a pin. */
  tunnel: (upstream: string) => `${upstream}/tunnel`,
  /** Upstream of a host whose addresses the policy gives. */
  pin: (host: string) => `pin/${host}`,
  pinHttp1: (host: string) => `pin/${host}/http1`,
  /** Log names, which become `sekisho.log` and `sekisho.door` of a record. */
  log: (door: string, what: 'connect' | 'http' | 'tcp' | 'connection') => `${door}/${what}`,
  /** What stands for a door where a listener is of the user's own. No door has a slash in its name, so none can be mistaken for it. */
  extra: (listener: string) => `extra/${listener}`,
  /** The cluster of Sekisho itself; it comes with the bootstrap. */
  sekisho: 'sekisho',
} as const;
