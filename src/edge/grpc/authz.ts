import { SekishoError } from '../../base/errors.ts';
import { doorMetadataKey } from '../../control/resources/authorization.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Accounts, Policy } from '../../policy/policy.types.ts';
import type { DenialReason, Gatekeeper, Verdict } from '../../sink/users/gatekeeper.ts';
import {
  decodeAuthorizationRequest,
  encodeAuthorizationAnswer,
  type AuthorizationAnswer,
} from '../../wire/authorization.ts';
import { rawService } from '../../wire/services.ts';
import type { Answer, UnaryCall } from './call.types.ts';
import type { Caller } from './caller.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

type Call = UnaryCall;

/**
 * envoy.service.auth.v3.Authorization: an Envoy asks who is at one of its doors, for each CONNECT. A failure is an error of gRPC, and with that the door
 * stays closed.
 */
export function authorizationService(options: {
  /** The policies by which a node may have its doors. For a door of several, the people of the first count. */
  readonly policies: () => readonly [Policy, ...Policy[]];
  readonly identify: (call: Call) => Caller;
  readonly gatekeeper: Pick<Gatekeeper, 'check'>;
  readonly decided: (result: 'allowed' | DenialReason) => void;
  readonly failed: (caught: unknown, peer: string) => void;
}): GrpcService {
  async function answerTo(call: Call): Promise<Buffer> {
    const door = String(call.metadata.get(doorMetadataKey)[0] ?? '');
    const accounts = peopleAt(options.policies(), options.identify(call), door);
    const { client, headers } = decodeAuthorizationRequest(call.request);
    const verdict = await options.gatekeeper.check({ accounts, client, header: headers.get('proxy-authorization') });
    options.decided('user' in verdict ? 'allowed' : verdict.denied);
    return encodeAuthorizationAnswer(answerOf(verdict, door));
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

/** While a change is on its way, one node has a door by the policy of before and another one by that of the file. */
function peopleAt(policies: readonly [Policy, ...Policy[]], caller: Caller, name: string): Accounts {
  const opens = (policy: Policy): boolean => {
    const group = caller.kind === 'certificate' ? memberOf(policy, caller.node)?.group.name : undefined;
    const door = policy.doors.find((one) => one.name === name && one.users.kind === 'basic');
    return door !== undefined && (caller.kind === 'loopback' || door.on === group);
  };
  return accountsOf(policies.find(opens) ?? policies[0], caller, name);
}

/** The people of a door, if whoever asks for it may: a node that opens this door. */
function accountsOf(policy: Policy, caller: Caller, name: string): Accounts {
  const door = policy.doors.find((one) => one.name === name);
  if (caller.kind === 'certificate') {
    const member = memberOf(policy, caller.node);
    if (member === undefined) {
      const message = `the node ${caller.node} is none of the policy's — name it under fleet.nodes`;
      throw new SekishoError('node_unknown', message, { facts: { node: caller.node } });
    }
    if (door !== undefined && door.on !== member.group.name) {
      const message = `the node ${caller.node} asks for the door ${name}, which is one of other nodes`;
      throw new SekishoError('identity_mismatch', message, { facts: { node: caller.node, door: name } });
    }
  }
  if (door?.users.kind === 'basic') return door.users.accounts;
  // The name came over the wire; what is no door's is not repeated.
  throw new SekishoError(
    'request_malformed',
    'a node asks for people of a door that has none — wait until it has the new policy',
  );
}

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
