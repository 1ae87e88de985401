import { randomBytes } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { Gatekeeper } from '../../sink/users/gatekeeper.ts';
import type { GateIntake } from '../../sink/intake/gate.ts';
import { authorizationService } from '../grpc/authz.ts';
import { callerOf } from '../grpc/caller.ts';
import type { GrpcService } from '../grpc/grpc-service.types.ts';
import { passwordThread } from '../passwords/password-thread.ts';

/** What doors ask, who comes in and whether something may leave, as a part of the running service. What people typed is in no log line. */
export function openUsers(options: {
  /** That of the file first. */
  readonly policies: () => readonly [Policy, ...Policy[]];
  readonly gate: GateIntake;
  readonly log: Log;
  readonly metrics: Metrics;
}): {
  readonly service: GrpcService;
  close(): Promise<void>;
} {
  const { policies, gate, log, metrics } = options;
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
  const intents = metrics.histogram({
    name: 'sekisho_gate_seconds',
    help: 'Time until something that is about to leave was on record.',
  });
  const failures = metrics.counter({
    name: 'sekisho_gate_failed_total',
    help: 'Questions of doors that were not answered, so that nothing passed, by error code.',
    labels: ['code'],
  });
  metrics.gaugeOf(
    { name: 'sekisho_gate_waiting_bytes', help: 'Bytes of intents that wait for the disk.' },
    () => gate.waitingBytes,
  );
  const told = new Map<string, number>();
  const service = authorizationService({
    policies,
    identify: (call) => callerOf(call, policies()[0].fleet.name),
    gatekeeper,
    gate,
    decided: (result) => {
      decisions.add({ result });
    },
    recorded: (seconds) => {
      intents.observe({}, seconds);
    },
    failed: (caught, peer) => {
      const { code, message } = SekishoError.from(caught);
      failures.add({ code });
      const times = (told.get(code) ?? 0) + 1;
      told.set(code, times);
      if (times > toldAtFirst && times % toldThen !== 0) return;
      log.warn('a question of a door was not answered; nothing passes there', { peer, code, times, why: message });
    },
  });
  return { service, close: () => thread.close() };
}

/** While a disk is full every question fails: so many failures of a kind are logged one by one, then every so-many-th. */
const toldAtFirst = 10;
const toldThen = 10_000;
