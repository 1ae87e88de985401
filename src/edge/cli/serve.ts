import { steadyClock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import { createLog, type Log, type LogLevel } from '../../base/log.ts';
import { formatProblem } from '../../policy/problem.ts';
import { startService, type Role, type Service } from '../service/service.ts';
import { aside, exitCodes } from './print.ts';
import { policyOf, readPolicy } from './read-policy.ts';
import { watchPolicy, type PolicyWatch } from './watch-policy.ts';

/** `sekisho serve`: runs until SIGTERM or SIGINT, which drain; a changed file or SIGHUP reloads. */
export async function serve(options: {
  readonly config: string;
  readonly data: string;
  readonly pki: string;
  readonly state?: string;
  readonly roles: string;
  readonly logLevel: LogLevel;
}): Promise<number> {
  const { data, pki, state } = options;
  const log = createLog({ level: options.logLevel });
  const roles = rolesOf(options.roles);
  // From before the first reading on: a change while the service starts is taken over once it has.
  const early = { change: false };
  let reload = (): void => {
    early.change = true;
  };
  const changed = (): void => {
    reload();
  };
  const watch = watchPolicy(options.config, changed);
  const loaded = await readPolicy(options.config);
  watch.follow(loaded.files);
  const policy = policyOf(loaded, aside);
  if (!policy) {
    watch.close();
    return exitCodes.badNews;
  }

  const stop = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  // To the last moment, because a SIGHUP that nobody hears ends the process.
  process.on('SIGHUP', changed);
  const service = await startService({ policy, roles, data, pki, ...(state === undefined ? {} : { state }), log });
  reload = reloader(options.config, service, watch, log);
  if (early.change) reload();

  log.info('stopping', { signal: await stop });
  watch.close();
  reload = () => undefined;
  await service.close();
  log.info('stopped');
  process.off('SIGHUP', changed);
  return exitCodes.good;
}

/** Reads the file again and goes on by it; a bad one changes nothing and says why. What it names is watched from then on, for the mistake may be there. */
function reloader(file: string, service: Service, watch: PolicyWatch, log: Log): () => void {
  const reload = async (since: number): Promise<void> => {
    const loaded = await readPolicy(file);
    watch.follow(loaded.files);
    if ('problems' in loaded) {
      log.error('the changed policy is not used; the last good one holds', { problems: loaded.problems.length });
      for (const problem of loaded.problems) log.error(formatProblem(problem));
      return;
    }
    await service.reload(loaded.policy, since);
    log.info('policy reloaded', { policy: file });
  };
  const failed = (caught: unknown): void => {
    const error = SekishoError.from(caught);
    log.error('the changed policy is not used; the last good one holds', { code: error.code, why: error.message });
  };
  // One reading after the other: of two at a time, the one that saw the older file could end last.
  let last = Promise.resolve();
  return () => {
    const since = steadyClock.now();
    last = last.then(() => reload(since)).catch(failed);
  };
}

function rolesOf(text: string): ReadonlySet<Role> {
  const roles = text.split(',').map((role) => {
    if (role === 'control' || role === 'sink') return role;
    throw new SekishoError('usage', `${role} is no role — --roles takes control, sink or control,sink`);
  });
  return new Set(roles);
}
