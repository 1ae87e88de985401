import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { realDisk } from '../../src/base/disk.ts';
import { createLog } from '../../src/base/log.ts';
import { temporaryFolder } from '../../src/base/temporary-folder.ts';
import { freePort } from '../../src/edge/demo/free-port.ts';
import { setStage, type Stage } from '../../src/edge/demo/stage.ts';
import { journalFolder } from '../../src/edge/service/sink-role.ts';
import { readJournal } from '../../src/sink/journal/reader.ts';
import { queryRecords } from '../../src/sink/query/query-records.ts';
import type { NamedRecord } from '../../src/sink/record/name.ts';
import { openBrowser, type BrowserOptions } from '../support/browser.ts';
import { findEnvoy } from '../support/envoy.ts';

/** The demo's house on ports that are free: stand-in, service, a real Envoy with an `office` and a `lab` door. */
export async function openStage(): Promise<Stage> {
  const folder = await temporaryFolder('sekisho-browser-stage-');
  const stage = await setStage({
    dir: folder.path,
    ports: {
      grpc: await freePort(0),
      admin: await freePort(0),
      public: await freePort(0),
      office: await freePort(0),
      lab: await freePort(0),
    },
    envoyPath: (await findEnvoy()).path,
    log: createLog({ level: 'error' }),
    progress: () => undefined,
  }).catch(async (caught: unknown) => {
    await folder.remove();
    throw caught;
  });
  return {
    ...stage,
    close: async () => {
      await stage.close();
      await folder.remove();
    },
  };
}

/** Where people enter. */
export function doorAt(stage: Stage, name: 'office' | 'lab'): string {
  const door = stage.policy.doors.find((one) => one.name === name);
  return `127.0.0.1:${door?.listen.port ?? 0}`;
}

/** Everything on record so far. Throws where a part of it cannot be read. */
export async function recordsOf(stage: Stage): Promise<NamedRecord[]> {
  const frames = readJournal({
    dir: journalFolder(stage.scene.data),
    disk: realDisk,
    onCorrupt: (damage) => {
      throw new Error(`the journal is damaged: ${JSON.stringify(damage)}`);
    },
  });
  const records: NamedRecord[] = [];
  for await (const item of queryRecords(frames, () => true)) {
    if (item.kind === 'unreadable') throw item.error;
    records.push(item.record);
  }
  return records;
}

/** Every byte of every file that the journal consists of. */
export async function journalBytes(stage: Stage): Promise<Buffer> {
  const folder = journalFolder(stage.scene.data);
  const files = await readdir(folder, { withFileTypes: true, recursive: true });
  const bytes = files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name)));
  return Buffer.concat(await Promise.all(bytes));
}

/** A browser of a workstation where the company’s CA was imported. */
export async function browserOf(
  t: TestContext,
  stage: Stage,
  options: Partial<BrowserOptions>,
): Promise<BrowserContext> {
  return openBrowser(t, { trusted: `${stage.scene.pki}/console-root.crt`, args: [], ...options });
}

/** The person of the demo, who may come through the office door. */
export function person(stage: Stage): NonNullable<BrowserOptions['person']> {
  return { ...stage.scene.person, for: `https://${doorAt(stage, 'office')}` };
}

export function publicAddress({ policy }: Stage): string {
  return `http://127.0.0.1:${policy.server.public.port}`;
}
