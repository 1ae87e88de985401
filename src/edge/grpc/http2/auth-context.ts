import type { Http2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { AuthContext } from '../call.types.ts';

/** A certificate is read out of a connection at some cost, and stays what it is. */
const known = new WeakMap<Http2Session, AuthContext>();
const nobody: AuthContext = {};

/** Who is at the other end of a connection. TLS with a certificate that was not verified is TLS with none. */
export function authContextOf(session: Http2Session | undefined): AuthContext {
  // Gone already: whoever it was must not be taken for somebody of this host.
  if (session === undefined || session.destroyed) return { transportSecurityType: 'gone' };
  const context = known.get(session) ?? read(session);
  known.set(session, context);
  return context;
}

function read({ socket, encrypted }: Http2Session): AuthContext {
  if (!(socket instanceof TLSSocket)) return encrypted === true ? { transportSecurityType: 'ssl' } : nobody;
  const certificate = socket.authorized ? socket.getPeerCertificate() : undefined;
  return {
    transportSecurityType: 'ssl',
    ...(certificate?.subjectaltname !== undefined && { sslPeerCertificate: certificate }),
  };
}
