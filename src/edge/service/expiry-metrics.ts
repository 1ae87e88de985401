import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { ConsoleCa } from '../../control/ca/console-ca.ts';
import type { FleetTrust } from '../../control/ca/fleet-trust.ts';

/** Publishes when each certificate ends, and warns of those for which it is time to act. */
export function watchExpiry(metrics: Metrics, log: Log): { look(trust: FleetTrust, ca: ConsoleCa | undefined): void } {
  const ends = metrics.gauge({
    name: 'sekisho_certificate_not_after_seconds',
    help: 'When a certificate ends, in seconds since 1970.',
    labels: ['certificate'],
  });
  return {
    look: (trust, ca) => {
      const now = new Date(systemClock.now());
      for (const { certificate, notAfter, daysLeft, due } of [...trust.expiries(now), ...(ca?.expiries(now) ?? [])]) {
        ends.set({ certificate }, notAfter.getTime() / 1000);
        if (due)
          log.warn('a certificate ends soon — run sekisho ca init where the offline folder is', {
            certificate,
            daysLeft,
          });
      }
    },
  };
}
