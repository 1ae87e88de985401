import { realDisk } from '../../base/disk.ts';
import { createLog } from '../../base/log.ts';
import { temporaryFolder } from '../../base/temporary-folder.ts';
import { findEnvoy } from '../envoy/find-envoy.ts';
import { freePorts } from '../demo/free-ports.ts';
import { invitation } from '../demo/invitation.ts';
import { recordsOfStory } from '../demo/records-of-story.ts';
import type { ScenePorts } from '../demo/scene.ts';
import { setStage, type Stage } from '../demo/stage.ts';
import { demoStory, refusalsInStory } from '../demo/story.ts';
import { visitor, type Visitor } from '../demo/visitor.ts';
import type { Assurance } from '../../policy/policy.types.ts';
import { answer, aside, exitCodes } from './print.ts';
import { printRecords, recordPrinter } from './records.ts';

const facts = {
  consoleHost: 'us-east-1.console.aws.amazon.com',
  signInHost: 'us-east-1.signin.aws.amazon.com',
  refusedHost: 'files.example.com',
  arn: 'arn:aws:sts::123456789012:assumed-role/Admin/taro.yamada',
};

/** `sekisho demo`: the whole house on loopback, one morning at the console through it, and what the journal says of that. */
export async function demo(options: {
  readonly once: boolean;
  readonly json: boolean;
  readonly assurance: Assurance;
  readonly dir: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<number> {
  const output = options.json ? 'json' : 'table';
  const envoy = await findEnvoy({ env: options.env, progress: aside });
  const folder = await demoFolder(options.dir);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
  let stage: Stage | undefined;
  try {
    stage = await setStage({
      dir: folder.path,
      ports: await choosePorts(options.once),
      envoyPath: envoy.path,
      assurance: options.assurance,
      log: createLog({ level: 'warn' }),
      progress: aside,
    });
    const { good, next } = await play(stage, output);
    if (options.once) return good ? exitCodes.good : exitCodes.badNews;
    aside(invitation(stage));
    const until = new AbortController();
    const printing = printRecords({ data: stage.scene.data, from: next, follow: until.signal, output });
    await stopped;
    until.abort();
    await printing;
    return exitCodes.good;
  } finally {
    await stage?.close();
    await folder.remove();
  }
}

/** The story, step by step, and its records once all of them are on disk. Good when both are what they should be. */
async function play(stage: Stage, output: string): Promise<{ good: boolean; next: number }> {
  const person = await officeVisitor(stage);
  try {
    const steps = await demoStory(person, facts);
    for (const { name, sent, answered, asExpected } of steps) {
      aside(`${asExpected ? '✓' : '✗'} ${name}: ${sent} → ${answered}`);
    }
    // A tunnel is on record once it ends.
    await person.close();
    const { items, missing, next } = await recordsOfStory(stage, {
      refusals: refusalsInStory,
      intents: stage.policy.record.assurance === 'gate',
    });
    const printer = recordPrinter(output);
    if (printer.header !== undefined) answer(printer.header);
    for (const item of items) answer(printer.line(item));
    if (missing.length > 0) aside(`no record came for ${missing.join(', ')}`);
    return { good: steps.every((step) => step.asExpected) && missing.length === 0, next };
  } finally {
    await person.close();
  }
}

async function officeVisitor({ policy, scene }: Stage): Promise<Visitor> {
  const door = policy.doors[0];
  const text = async (file: string): Promise<string> => (await realDisk.readFile(file)).toString('utf8');
  const consoleCa = await text(`${scene.pki}/console-root.crt`);
  return visitor({
    proxy: {
      host: '127.0.0.1',
      port: door?.listen.port ?? 0,
      tls: { ca: consoleCa, cert: await text(scene.person.certificate), key: await text(scene.person.key) },
    },
    consoleCa,
  });
}

/** The documented ports where they are free, so that the commands on screen are easy to remember; any ports for a run that ends. */
function choosePorts(once: boolean): Promise<ScenePorts> {
  if (once) return freePorts({ grpc: 0, admin: 0, public: 0, office: 0, lab: 0 });
  return freePorts({ grpc: 18000, admin: 18080, public: 18081, office: 3128, lab: 3129 });
}

async function demoFolder(dir: string | undefined): Promise<{ path: string; remove(): Promise<void> }> {
  if (dir === undefined) return temporaryFolder('sekisho-demo-');
  await realDisk.makeDir(dir, 0o750);
  return { path: dir, remove: () => Promise.resolve() };
}
