import { join } from 'node:path';
import type { Disk } from '../../base/disk.ts';
import { offlineFiles, onlineFiles } from './layout.ts';

/**
 * What is wrong with how the keys lie on a server, as sentences for readiness and the log: a root's key that belongs elsewhere, a key that others
 * may read. Empty is good. `folder` is `pki`.
 */
export async function keyFindings(folder: string, disk: Disk): Promise<string[]> {
  const online = onlineFiles(folder);
  const offline = offlineFiles(join(folder, 'offline'));
  const rootKeys = [offline.consoleRoot.key, offline.fleetCa.key, online.consoleRoot.key, online.fleetCa.key];
  const ownKeys = [online.consoleIntermediate.key, online.server.key];

  const findings: string[] = [];
  for (const path of rootKeys) {
    if ((await disk.stat(path)) === undefined) continue;
    findings.push(`${path} lies on the server; move it where no service runs: who takes it can make new authorities`);
  }
  for (const path of [...ownKeys, ...rootKeys]) {
    const mode = (await disk.stat(path))?.mode ?? 0;
    if ((mode & 0o077) !== 0) findings.push(`${path} may be read by others (mode ${mode.toString(8)}); chmod 600 it`);
  }
  return findings;
}
