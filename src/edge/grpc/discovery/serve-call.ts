import { SekishoError } from '../../../base/errors.ts';
import type { XdsStream } from '../../../control/xds/stream.ts';
import type { StreamOptions } from '../../../control/xds/stream.types.ts';
import type { TypeUrl } from '../../../control/xds/type-urls.ts';
import type { AnyRequest } from '../../../control/xds/variant.types.ts';
import type { NodeInfo } from '../../../wire/node-info.ts';
import type { Caller } from '../caller.ts';
import { statusOfRefusal } from '../status.ts';
import type { DiscoveryLimits } from './open-streams.ts';
import type { Call, Session } from './session.types.ts';

const nothing: ReadonlySet<TypeUrl> = new Set();
const anyone: Caller = { kind: 'loopback' };

/** Serves one discovery call to its end: bytes to requests, what the stream has to say to bytes, and every failure to a status. */
export function serveCall<Request extends AnyRequest>(
  call: Call,
  session: Session,
  { type }: { readonly type?: TypeUrl },
  decode: (bytes: Buffer) => Request,
  open: (options: StreamOptions) => XdsStream<Request>,
): void {
  const { publisher, observe, limits } = session;
  const peer = call.getPeer();
  let node: string | undefined;
  let stream: XdsStream<Request> | undefined;
  let leaveLine = (): void => undefined;
  const streamOfCall = { finish, refuse };
  call.on('end', finish);
  call.on('cancelled', forget);
  call.on('error', forget);
  call.on('close', forget);
  call.on('drain', () => stream?.drained());
  // Until then what the client says stays with gRPC, whose window is small.
  leaveLine = session.starts.take(start);

  function start(): void {
    try {
      stream = begin();
    } catch (caught) {
      refuse(SekishoError.from(caught));
    }
    call.on('data', receive);
  }

  function begin(): XdsStream<Request> {
    if (session.isClosed())
      throw new SekishoError('server_unreachable', 'Sekisho is stopping; come back when it has started again.');
    const caller = session.identify?.(call) ?? anyone;
    session.open.add(streamOfCall);
    return open({
      publisher,
      peer,
      identity: caller.kind,
      transport: { send: (bytes) => call.write(bytes), refuse },
      admit: (info) => {
        checkName(info);
        checkIdentity(caller, info);
        node = info.id;
        session.open.addToNode(streamOfCall, info.id, type);
      },
      withheld: caller.kind === 'loopback' ? (session.secret ?? nothing) : nothing,
      ...(type !== undefined && { type }),
      ...(observe && { observe }),
    });
  }

  function receive(bytes: Buffer): void {
    if (!stream) return; // What comes after a refusal is read and dropped, so that the status can reach the other end.
    try {
      checkSize(bytes, limits);
      stream.receive(decode(bytes));
    } catch (caught) {
      refuse(SekishoError.from(caught));
    }
  }

  function refuse(error: SekishoError): void {
    forget();
    observe?.({ kind: 'refused', peer, error, ...(node !== undefined && { node }) });
    call.emit('error', statusOfRefusal(error));
  }

  function finish(): void {
    forget();
    call.end();
  }

  function forget(): void {
    leaveLine();
    stream?.end();
    stream = undefined;
    session.open.remove(streamOfCall, node, type);
  }
}

/** As long as the records of a node may say: what is longer is kept nowhere, not even to complain of it. */
const longestName = 255;

function checkName({ id }: NodeInfo): void {
  if (id.length <= longestName) return;
  throw new SekishoError(
    'request_malformed',
    `A node id has ${id.length} characters; at most ${longestName} are read.`,
  );
}

/** A certificate speaks for its own node only; a process of this host may speak for any. */
function checkIdentity(caller: Caller, { id }: NodeInfo): void {
  if (caller.kind === 'loopback' || caller.node === id) return;
  throw new SekishoError(
    'identity_mismatch',
    `The node says that it is "${id}", its certificate says "${caller.node}"; start Envoy with the node id of its certificate.`,
    { facts: { said: id, certificate: caller.node } },
  );
}

function checkSize(bytes: Buffer, { requestBytes }: DiscoveryLimits): void {
  if (bytes.length <= requestBytes) return;
  throw new SekishoError(
    'limit_exceeded',
    `A discovery request has ${bytes.length} bytes; at most ${requestBytes} are read.`,
    {
      facts: { bytes: bytes.length, limit: requestBytes },
    },
  );
}
