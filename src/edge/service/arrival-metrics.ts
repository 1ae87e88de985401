import { status } from '@grpc/grpc-js';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Arrival } from '../grpc/doorkeeper.ts';
import type { RefusedCall } from '../grpc/http2/grpc-streams.ts';

/** Counts who knocks at the gRPC address, and says whom it turned away. */
export function arrivalObserver(metrics: Metrics, log: Log): (what: Arrival, remote: string, why?: string) => void {
  const arrivals = metrics.counter({
    name: 'sekisho_grpc_connections_total',
    help: 'Connections to the gRPC address, by what became of them.',
    labels: ['result'],
  });
  return (result, remote, why) => {
    arrivals.add({ result });
    const facts = { result, remote, ...(why !== undefined && { why: why.trim() }) };
    if (result === 'tls' || result === 'plaintext' || result === 'refused_silent') log.debug('connection', facts);
    else log.warn(advice[result], facts);
  };
}

const advice: Readonly<Record<Exclude<Arrival, 'tls' | 'plaintext' | 'refused_silent'>, string>> = {
  refused_plaintext: 'refused: plain text is for loopback only — let the node use its certificate (sekisho bootstrap)',
  refused_garbage: 'refused: what came is neither TLS nor HTTP/2',
  tls_failed: 'refused: no handshake with a certificate of this fleet — make one with sekisho ca node ID',
};

/** Counts the calls that gRPC ended before we could say anything, and says whose they were. */
export function refusalObserver(metrics: Metrics, log: Log): (call: RefusedCall) => void {
  const refusals = metrics.counter({
    name: 'sekisho_grpc_calls_refused_total',
    help: 'Calls that gRPC itself ended, for a message over the limit mostly, by gRPC status.',
    labels: ['code'],
  });
  return ({ method, peer, code, why }) => {
    const name = status[code] ?? String(code);
    refusals.add({ code: name });
    log.warn('a gRPC call was refused', { method, peer, code: name, why });
  };
}
