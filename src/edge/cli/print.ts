import { stringify } from 'yaml';

/** The answer of a command, on standard output. */
export function answer(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** What is said beside the answer, on standard error. */
export function aside(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function asYamlOrJson(value: unknown, format: string): string {
  return format === 'json'
    ? JSON.stringify(value, null, 2)
    : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** What the exit code of every command means; scripts rely on it. */
export const exitCodes = { good: 0, badNews: 1, wrongUse: 2 } as const;
