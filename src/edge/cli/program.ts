import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { SekishoError } from '../../base/errors.ts';
import type { LogLevel } from '../../base/log.ts';
import { exitCodes } from './print.ts';
import type { RecordsOptions } from './records.ts';
import type { Assurance } from '../../policy/policy.types.ts';

const assurances: readonly Assurance[] = ['stream', 'receipt', 'gate'];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `sekisho …`: reads the arguments, runs one command, gives its exit code: 0 good, 1 the answer is bad news, 2 wrong use. Each command is
 * loaded when it is called, so that `--help` answers at once.
 */
export async function run(argv: readonly string[], env: Environment): Promise<number> {
  let exitCode: number = exitCodes.good;
  const program = new Command('sekisho')
    .description('Envoy control plane and log sink for AWS Management Console traffic')
    .version(version())
    .exitOverride()
    .showHelpAfterError('(run with --help for what there is)')
    .configureHelp({ showGlobalOptions: true });

  const config = () =>
    new Option('-c, --config <file>', 'the policy file').env('SEKISHO_CONFIG').default('sekisho.yaml');
  const data = () => new Option('--data <dir>', 'folder of the journal').env('SEKISHO_DATA').default('./data');
  const pki = () => new Option('--pki <dir>', 'folder of certificates and keys').env('SEKISHO_PKI').default('./pki');
  const admin = () =>
    new Option('--admin <url>', 'administration address of the running service')
      .env('SEKISHO_ADMIN')
      .default('http://127.0.0.1:18080');
  const output = (...choices: [string, ...string[]]) =>
    new Option('-o, --output <format>', 'how to print').choices(choices).default(choices[0]);

  program
    .command('demo')
    .description('everything on loopback with a real Envoy and a stand-in console')
    .option('--once', 'make the requests of the story, print their records, exit')
    .option('--json', 'print records as JSON, one a line')
    .addOption(new Option('--assurance <level>', 'assurance of the records').choices(assurances).default('receipt'))
    .option('--dir <dir>', 'where its files go; kept afterwards (default: a temporary folder)')
    .action(async (options: { once?: true; json?: true; assurance: Assurance; dir?: string }) => {
      const { demo } = await import('./demo.ts');
      const { once = false, json = false, assurance, dir } = options;
      exitCode = await demo({ once, json, assurance, dir, env });
    });

  program
    .command('serve')
    .description('the service: control plane and record sink; SIGTERM drains, SIGHUP or a changed file reloads')
    .addOption(config())
    .addOption(data())
    .addOption(pki())
    .addOption(
      new Option(
        '--state <dir>',
        'folder that all control planes of the fleet share (default: there is only this one)',
      ).env('SEKISHO_STATE'),
    )
    .option('--roles <roles>', 'which of control,sink to play', 'control,sink')
    .addOption(
      new Option('--log-level <level>', 'least important line to log')
        .choices(['error', 'warn', 'info', 'debug'])
        .env('SEKISHO_LOG_LEVEL')
        .default('info'),
    )
    .action(
      async (options: {
        config: string;
        data: string;
        pki: string;
        state?: string;
        roles: string;
        logLevel: LogLevel;
      }) => {
        const { serve } = await import('./serve.ts');
        exitCode = await serve(options);
      },
    );

  program
    .command('check')
    .description('every mistake in the policy as FILE:LINE:COL: message; with an Envoy at hand also its own validation')
    .addOption(config())
    .option('--no-envoy', 'do not ask an Envoy')
    .action(async (options: { config: string; envoy: boolean }) => {
      const { check } = await import('./check.ts');
      exitCode = await check({ ...options, env });
    });

  program
    .command('resources')
    .description('what a node gets, in Envoy’s words; private keys are left out')
    .requiredOption('--node <id>', 'node id')
    .addOption(config())
    .addOption(output('yaml', 'json'))
    .action(async (options: { node: string; config: string; output: string }) => {
      const { resources } = await import('./resources.ts');
      exitCode = await resources(options);
    });

  program
    .command('diff')
    .description('what the policy would send to the nodes, before it is published; exit 1 when there is something')
    .option('--node <id>', 'of this node alone')
    .option('--against <file>', 'compare with what this policy file gives, not with the running service')
    .addOption(config())
    .addOption(admin())
    .addOption(output('table', 'json'))
    .action(async (options: { config: string; against?: string; node?: string; admin: string; output: string }) => {
      const { diff } = await import('./diff.ts');
      exitCode = await diff(options);
    });

  program
    .command('bootstrap')
    .description('what a node starts from')
    .requiredOption('--node <id>', 'node id')
    .addOption(config())
    .addOption(output('yaml', 'json'))
    .option('--node-pki <dir>', 'folder on the node with node.crt, node.key, fleet-ca.crt', '/etc/sekisho/pki')
    .option('--envoy-admin <address>', 'where the node’s Envoy listens for its administration', '127.0.0.1:9901')
    .action(async (options: { node: string; config: string; output: string; nodePki: string; envoyAdmin: string }) => {
      const { bootstrap } = await import('./bootstrap.ts');
      exitCode = await bootstrap(options);
    });

  interface FleetOptions {
    admin: string;
    output: string;
  }
  const fleet = program
    .command('fleet')
    .description(
      'nodes, versions, what each acknowledged or refused, and how a change goes on; exit 1 when one is out of step',
    )
    .addOption(admin())
    .addOption(output('table', 'json'))
    .action(async (options: FleetOptions) => {
      const { fleet: show } = await import('./fleet.ts');
      exitCode = await show(options);
    });
  fleet
    .command('pause')
    .description('a change stays with the canary nodes, and goes on to no others')
    .action(async (_: unknown, command: Command) => {
      const { commandFleet } = await import('./fleet.ts');
      exitCode = await commandFleet('pause', command.optsWithGlobals<FleetOptions>());
    });
  fleet
    .command('resume')
    .description('a paused change goes on; one that was rolled back is tried again')
    .option('--force', 'give it to all nodes now, whatever it waits for')
    .action(async ({ force }: { force?: true }, command: Command) => {
      const { commandFleet } = await import('./fleet.ts');
      exitCode = await commandFleet(force ? 'force' : 'resume', command.optsWithGlobals<FleetOptions>());
    });
  fleet
    .command('rollback')
    .description('all nodes get what they had before the change, on trial or already with all of them')
    .action(async (_: unknown, command: Command) => {
      const { commandFleet } = await import('./fleet.ts');
      exitCode = await commandFleet('rollback', command.optsWithGlobals<FleetOptions>());
    });

  program
    .command('records')
    .description('what the journal holds; exit 1 when a part of it cannot be read')
    .addOption(data())
    .option('--since <time>', 'RFC 3339, or an age such as 2h')
    .option('--until <time>', 'RFC 3339, or an age such as 2h')
    .option('--user <name>', 'who authenticated at the door')
    .option('--host <host>', 'server name, exact or *.example')
    .option('--client <address>', 'client address or network')
    .option('--status <status>', '200, 4xx or 400-499')
    .option(
      '--kind <kind>',
      'http, tcp, connection, intent: what was about to leave, gap: what is missing, or control: what the fleet was told and what it answered',
    )
    .option('--follow', 'go on with records as they come, until interrupted')
    .option('--sink <host:port>', 'another sink of the fleet, read too; may be given several times', together, [])
    .addOption(new Option('--reader <dir>', 'folder that sekisho ca reader made, for --sink').env('SEKISHO_READER'))
    .addOption(output('table', 'json'))
    .action(async (options: RecordsOptions) => {
      const { records } = await import('./records.ts');
      exitCode = await records(options);
    });

  program
    .command('ledger')
    .description('what Envoys handled against what is stored of it; exit 1 while anything is missing or cannot be told')
    .option('--node <id>', 'of this node alone')
    .addOption(admin())
    .addOption(output('table', 'json'))
    .action(async (options: { node?: string; admin: string; output: string }) => {
      const { ledger } = await import('./ledger.ts');
      exitCode = await ledger(options);
    });

  const ca = program.command('ca').description('the two certificate authorities');
  ca.command('init')
    .description('make what is missing: console root and intermediate, fleet authority, server certificate')
    .addOption(config())
    .addOption(pki())
    .option('--offline <dir>', 'folder of the keys that belong offline (default: offline in the pki folder)')
    .action(async (options: { config: string; pki: string; offline?: string }) => {
      const { caInit } = await import('./ca.ts');
      exitCode = await caInit(options);
    });
  ca.command('node')
    .description('key and certificate for one Envoy')
    .argument('<id>', 'node id')
    .addOption(config())
    .addOption(pki())
    .option('--offline <dir>', 'folder of the keys that belong offline (default: offline in the pki folder)')
    .option('--out <dir>', 'folder to write to (default: nodes/ID in the pki folder)')
    .action(async (id: string, options: { config: string; pki: string; offline?: string; out?: string }) => {
      const { caNode } = await import('./ca.ts');
      exitCode = await caNode(id, options);
    });
  ca.command('reader')
    .description('key and certificate for a program that asks for records')
    .argument('<name>', 'name of the reader, a DNS name such as audit')
    .addOption(config())
    .addOption(pki())
    .option('--offline <dir>', 'folder of the keys that belong offline (default: offline in the pki folder)')
    .option('--out <dir>', 'folder to write to (default: readers/NAME in the pki folder)')
    .action(async (name: string, options: { config: string; pki: string; offline?: string; out?: string }) => {
      const { caReader } = await import('./ca.ts');
      exitCode = await caReader(name, options);
    });

  const users = program.command('users').description('the people of a door with passwords, in a users file');
  users
    .command('add')
    .description(
      'add a person, or set a new password; asks for it twice on a terminal, else reads one line of standard input',
    )
    .argument('<name>', 'letters, digits and . _ @ + -')
    .argument('<file>', 'the users file; made if it is not there')
    .action(async (name: string, file: string) => {
      const { usersAdd } = await import('./users.ts');
      exitCode = await usersAdd(name, file);
    });
  users
    .command('remove')
    .description('remove a person; exit 1 where there is none of that name')
    .argument('<name>', 'as it stands in the file')
    .argument('<file>', 'the users file')
    .action(async (name: string, file: string) => {
      const { usersRemove } = await import('./users.ts');
      exitCode = await usersRemove(name, file);
    });

  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (caught) {
    return failure(caught);
  }
}

/** That of the package, whose root is as far from the sources as from what is built of them. */
function version(): string {
  const { version: ours } = createRequire(import.meta.url)('../../../package.json') as { readonly version: string };
  return ours;
}

/** Commander has printed its own complaint; ours is one line on stderr. */
function failure(caught: unknown): number {
  if (caught instanceof CommanderError) return caught.exitCode === 0 ? exitCodes.good : exitCodes.wrongUse;
  const error = SekishoError.from(caught);
  process.stderr.write(`sekisho: ${error.message}\n`);
  if (error.code === 'internal') process.stderr.write(`${error.stack ?? ''}\n`);
  return error.code === 'usage' ? exitCodes.wrongUse : exitCodes.badNews;
}

/** An option that is given several times. */
function together(one: string, before: readonly string[]): readonly string[] {
  return [...before, one];
}
