import { SekishoError } from '../../base/errors.ts';
import {
  doorMetadataKey,
  idMetadataKey,
  logMetadataKey,
  staysKey,
  toldHeaders,
} from '../../control/resources/authorization.ts';
import { names } from '../../control/resources/names.ts';
import type { Door, Policy } from '../../policy/policy.types.ts';
import type { Asker, GateIntake } from '../../sink/intake/gate.ts';
import type { IntentFacts } from '../../sink/record/intent.ts';
import type { DenialReason, Gatekeeper, Verdict } from '../../sink/users/gatekeeper.ts';
import {
  decodeAuthorizationRequest,
  encodeAuthorizationAnswer,
  type AuthorizationAnswer,
  type AuthorizationRequest,
} from '../../wire/authorization.ts';
import { rawService } from '../../wire/services.ts';
import type { Answer, UnaryCall } from './call.types.ts';
import type { Caller } from './caller.ts';
import { doorAsked } from './door-asked.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

type Call = UnaryCall;

/**
 * envoy.service.auth.v3.Authorization: an Envoy asks at one of its doors, who somebody is and whether something may leave. What leaves is on record before it
 * is answered. A failure is an error of gRPC, and with that the door stays closed.
 */
export function authorizationService(options: {
  /** The policies by which a node may have its doors. For a door of several, the people of the first count. */
  readonly policies: () => readonly [Policy, ...Policy[]];
  readonly identify: (call: Call) => Caller;
  readonly gatekeeper: Pick<Gatekeeper, 'check'>;
  readonly gate: Pick<GateIntake, 'take'>;
  readonly decided: (result: 'allowed' | DenialReason) => void;
  /** Something was put on record before it left, after so many seconds. */
  readonly recorded: (seconds: number) => void;
  readonly failed: (caught: unknown, peer: string) => void;
}): GrpcService {
  async function answerTo(call: Call): Promise<Buffer> {
    const caller = options.identify(call);
    const log = metadataOf(call, logMetadataKey);
    const request = decodeAuthorizationRequest(call.request);
    const name = metadataOf(call, doorMetadataKey);
    const door = doorAsked(options.policies(), caller, name, log === '' ? asksWho : () => true);
    const verdict = await whoComes(door, log, request);
    if (verdict !== undefined) options.decided('user' in verdict ? 'allowed' : verdict.denied);
    if (log === '' || request.extensions.has(staysKey) || (verdict !== undefined && 'denied' in verdict)) {
      return encodeAuthorizationAnswer(verdict === undefined ? { metadata: {} } : answerOf(verdict, name));
    }
    const start = performance.now();
    await options.gate.take(askerOf(call, caller, door, log), request, factsOf(call, request, verdict?.user));
    options.recorded((performance.now() - start) / 1000);
    return encodeAuthorizationAnswer(verdict === undefined ? { metadata: {} } : answerOf(verdict, name));
  }

  /** undefined where people are not asked for a password, or have been, before what is asked about now. */
  async function whoComes(door: Door, log: string, request: AuthorizationRequest): Promise<Verdict | undefined> {
    if (door.users.kind !== 'basic' || (log !== '' && log !== names.log(door.name, 'connect'))) return undefined;
    const { client, headers } = request;
    const header = headers.get('proxy-authorization');
    return options.gatekeeper.check({ accounts: door.users.accounts, client, header });
  }

  function check(call: Call, answer: Answer): void {
    answerTo(call).then(
      (bytes) => {
        answer(null, bytes);
      },
      (caught: unknown) => {
        options.failed(caught, call.getPeer());
        answer(statusOf(caught));
      },
    );
  }

  return { definition: rawService('envoy.service.auth.v3.Authorization'), implementation: { Check: check } };
}

const asksWho = ({ users }: Door): boolean => users.kind === 'basic';

function metadataOf(call: Call, key: string): string {
  return String(call.metadata.get(key)[0] ?? '');
}

/** Whose record it will be. Over loopback no certificate says which node asks, so there the question has to. */
function askerOf(call: Call, caller: Caller, door: Door, log: string): Asker {
  const logs = (['connect', 'http', 'tcp'] as const).map((what) => names.log(door.name, what));
  const node = caller.kind === 'certificate' ? caller.node : metadataOf(call, nodeMetadataKey);
  if (!logs.includes(log) || node === '' || node.length > longestNode) {
    const message = `a question about what leaves names no log of its door, or over loopback no node (${nodeMetadataKey})`;
    throw new SekishoError('request_malformed', message);
  }
  return { node, log, identity: caller.kind };
}

/** Of a request Envoy tells in headers, which may hold names in any script; of a connection in metadata. */
function factsOf(call: Call, { http, headers }: AuthorizationRequest, user: string | undefined): IntentFacts {
  if (http === undefined) return { id: metadataOf(call, idMetadataKey), tunnel: metadataOf(call, toldHeaders.tunnel) };
  const tunnel = headers.get(toldHeaders.tunnel);
  return { user: user ?? headers.get(toldHeaders.user), tunnel, id: headers.get('x-request-id') };
}

const nodeMetadataKey = 'x-sekisho-node';
const longestNode = 255;

function answerOf(verdict: Verdict, door: string): AuthorizationAnswer {
  if ('user' in verdict) return { metadata: { user: verdict.user } };
  const { denied, retryMs } = verdict;
  const { status, body } = refusals[denied];
  const headers = {
    ...(status === 407 && { 'proxy-authenticate': `Basic realm="sekisho ${door}", charset="UTF-8"` }),
    ...(retryMs !== undefined && { 'retry-after': String(Math.ceil(retryMs / 1000)) }),
  };
  return { metadata: { denied }, denied: { status, headers, body: `sekisho: ${body}\n` } };
}

/**
 * A locked one gets no 407: the browser would ask its person again and again for a password that nobody looks at. With 429 it keeps the one
 * it has, which may be right.
 */
const refusals: Readonly<Record<DenialReason, { readonly status: number; readonly body: string }>> = {
  no_credentials: { status: 407, body: 'this proxy asks for a name and a password' },
  wrong_credentials: { status: 407, body: 'the name or the password is wrong' },
  locked: { status: 429, body: 'too many wrong passwords; wait for half an hour and try again' },
  busy: { status: 503, body: 'too many people are coming in at this moment; try again' },
};
