import { envoyLine } from './envoy-line.ts';
import { runProgram } from './run-program.ts';

export interface ValidateOptions {
  /** The Envoy binary. */
  readonly path: string;
  /** A bootstrap with everything in it that is to be checked, YAML or JSON. */
  readonly configFile: string;
  readonly nodeId?: string;
}

/** Envoy's own opinion of a configuration (`--mode validate`): undefined when it accepts it, else why not. Opens no port. */
export async function validateConfig(options: ValidateOptions): Promise<string | undefined> {
  const { path, configFile, nodeId = 'validate' } = options;
  const args = ['--mode', 'validate', '-c', configFile, '--service-node', nodeId, '--service-cluster', 'validate'];
  const { code, output } = await runProgram(path, [...args, '--log-level', 'error'], 60_000);
  if (code === 0) return undefined;
  const lines = output.trimEnd().split('\n');
  return lines.map((line) => envoyLine(line).text).join('\n') || `envoy ended with exit code ${code ?? 'unknown'}`;
}
