import { setTimeout as pause } from 'node:timers/promises';
import { SekishoError } from '../../base/errors.ts';
import type { RunningEnvoy } from '../envoy/start-envoy.ts';

const patienceMs = 30_000;

/** Resolves when Envoy says that it is live: its clusters, listeners, routes and certificates have come. */
export async function untilLive(envoy: RunningEnvoy): Promise<void> {
  const url = `http://${envoy.adminAddress}/ready`;
  const deadline = AbortSignal.timeout(patienceMs);
  const ended = envoy.exited.then(() => true);
  for (;;) {
    const answer = await fetch(url, { signal: deadline }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (await Promise.race([ended, pause(50, false)]))
      throw new SekishoError('envoy_failed', 'Envoy ended before it was live; what it said stands above');
    if (deadline.aborted) {
      throw new SekishoError(
        'envoy_failed',
        `Envoy was not live after ${patienceMs / 1000} s — sekisho fleet says what it refused`,
      );
    }
  }
}
