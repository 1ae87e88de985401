import { setTimeout as sleep } from 'node:timers/promises';
import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { leaseTimes } from '../../control/state/judge.ts';
import type { StateFolder } from '../../control/state/state-folder.ts';

/** Looks at the lease every third of its term until the signal, and says what becomes of it. */
export async function keepLease(state: StateFolder, log: Log, until: AbortSignal): Promise<void> {
  let told: string | undefined;
  let failing = false;
  const tell = (): void => {
    const { held, holder } = state.standing();
    const what = held ? 'this process holds the lease' : 'another process holds the lease';
    const now = JSON.stringify([what, holder]);
    if (now !== told) log.info(what, { holder: holder?.name, since: holder?.since });
    told = now;
  };
  tell();
  const goesOn = () =>
    sleep(leaseTimes.termMs / 3, undefined, { signal: until }).then(
      () => true,
      () => false,
    );
  while (await goesOn()) {
    try {
      await state.look();
      if (failing) log.info('the state folder can be used again');
      failing = false;
      tell();
    } catch (caught) {
      const { code, message } = SekishoError.from(caught);
      if (!failing) log.error('the state folder cannot be used; what is served stays', { code, why: message });
      failing = true;
    }
  }
}
