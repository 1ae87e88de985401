import type { LogLevel } from '../../base/log.ts';

/** A line of Envoy's own log: `[2026-11-24 04:55:48.864][14593][critical][main] [source/server/…] text`. */
export function envoyLine(line: string): { readonly level: LogLevel; readonly text: string } {
  const match = /^\[[^\]]*\]\[\d+\]\[(\w+)\]\[\w+\] (?:\[[^\]]*\] )?(.*)$/.exec(line);
  // Lines without that head are the rest of a message of several lines.
  if (match === null) return { level: 'info', text: line };
  const text = match[2] ?? '';
  return { level: inProgress.test(text) ? 'debug' : (levels[match[1] ?? ''] ?? 'info'), text };
}

/**
 * Said a hundred times for one listener, because the ranges of the address filter are messages of the `xds` package, all of which is
 * marked so. Nobody can act on it.
 */
const inProgress = /marked as work-in-progress/;

const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
};
