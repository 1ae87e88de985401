import { randomBytes } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { Gatekeeper } from '../../sink/users/gatekeeper.ts';
import { authorizationService } from '../grpc/authz.ts';
import { callerOf } from '../grpc/caller.ts';
import type { GrpcService } from '../grpc/grpc-service.types.ts';
import { passwordThread } from '../passwords/password-thread.ts';

/** Who comes in at the doors for people with passwords, as a part of the running service. What people typed is in no log line. */
export function openUsers(options: {
  /** That of the file first. */
  readonly policies: () => readonly [Policy, ...Policy[]];
  readonly log: Log;
  readonly metrics: Metrics;
}): {
  readonly service: GrpcService;
  close(): Promise<void>;
} {
  const { policies, log, metrics } = options;
  const decisions = metrics.counter({
    name: 'sekisho_users_checks_total',
    help: 'Questions of Envoys who somebody is, by what was answered.',
    labels: ['result'],
  });
  const thread = passwordThread();
  const gatekeeper = new Gatekeeper({
    clock: systemClock,
    key: randomBytes(32),
    matches: (password, hash) => thread.matches(password, hash),
    locked: (whom, { client }) => {
      log.warn(`too many wrong passwords: this ${whom} is locked for half an hour`, { client });
    },
  });
  metrics.gaugeOf(
    { name: 'sekisho_users_waiting', help: 'Passwords that wait to be tried.' },
    () => gatekeeper.waiting,
  );
  const service = authorizationService({
    policies,
    identify: (call) => callerOf(call, policies()[0].fleet.name),
    gatekeeper,
    decided: (result) => {
      decisions.add({ result });
    },
    failed: (caught, peer) => {
      const { code, message } = SekishoError.from(caught);
      decisions.add({ result: 'failed' });
      log.warn('a question who somebody is was not answered; the door is closed to them', { peer, code, why: message });
    },
  });
  return { service, close: () => thread.close() };
}
