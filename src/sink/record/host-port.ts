import { isIP } from 'node:net';

export interface HostPort {
  readonly host: string;
  readonly port?: number;
}

/** `host`, `host:port`, `[v6]:port` of an authority (RFC 3986, 3.2); the host in lower case, userinfo left out. */
export function hostPort(authority: string): HostPort | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(
    authority.slice(authority.lastIndexOf('@') + 1),
  );
  if (match === null) return undefined;
  const host = (match[1] ?? match[2] ?? '').toLowerCase();
  return match[3] === undefined ? { host } : { host, port: Number(match[3]) };
}

/** `address:port` as Envoy writes a socket address; undefined for anything else, an internal listener's name included. */
export function socketPeer(text: string | undefined): { address: string; port: number } | undefined {
  const parts = text === undefined ? undefined : hostPort(text);
  if (parts?.port === undefined || isIP(parts.host) === 0) return undefined;
  return { address: parts.host, port: parts.port };
}
