import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { consoleHosts } from '../../aws/hosts.ts';
import type { ConsoleCa } from '../../control/ca/console-ca.ts';
import { doorNames } from '../../control/door-names.ts';
import type { RolloutCommand } from '../../control/rollout/rollout.types.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { adminServer } from '../http/admin-server.ts';
import { proxyAutoConfig, type PacDoor } from '../http/pac.ts';
import { publicServer } from '../http/public-server.ts';
import { publishedCertificates } from '../http/published-certificates.ts';
import type { HttpServer } from '../http/strict-server.ts';
import type { Obstacles } from './readiness.ts';

/** The administration address: health, readiness, metrics, the fleet and what it is told. */
export function openAdmin(options: {
  readonly policy: Policy;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly obstacles: Obstacles;
  readonly fleet: () => unknown;
  readonly ledger: () => unknown;
  readonly published: () => unknown;
  readonly command: (command: RolloutCommand, operator: string) => boolean;
}): Promise<HttpServer> {
  const { policy, metrics, obstacles, fleet, ledger, published, command, log } = options;
  return adminServer({
    ...policy.server.admin,
    log,
    readiness: () => obstacles.readiness(),
    metrics: () => metrics.text(),
    fleet,
    ledger,
    published,
    command,
  });
}

/** The public address: how a workstation finds the doors, and what it has to trust. */
export function openPublic(policy: () => Policy, ca: ConsoleCa, log: Log): Promise<HttpServer> {
  return publicServer({
    ...policy().server.public,
    log,
    pac: () => proxyAutoConfig({ hosts: consoleHosts(policy().console).admitted, doors: pacDoors(policy()) }),
    certificates: publishedCertificates(ca.root.toString(), 'sekisho-console-root'),
  });
}

/** Every proxy under every name that its certificate would carry; to the other doors nobody has to be told the way. */
function pacDoors(policy: Policy): PacDoor[] {
  const proxies = policy.doors.filter(({ kind }) => kind === 'forward');
  return proxies.flatMap((door) => {
    const { hosts, addresses } = doorNames(policy, door);
    return [...hosts, ...addresses].map((host) => ({ host, port: door.listen.port, tls: door.tls }));
  });
}
