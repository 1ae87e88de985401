import type { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { withoutPem, withoutSecrets } from './log-redaction.ts';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What stands beside a message. The line's own three fields are taken. */
export type LogFacts = Readonly<Record<string, unknown>> & { time?: never; level?: never; message?: never };

/** What the service says about itself, for its operator. Not the record: that is the journal. */
export interface Log {
  error(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  debug(message: string, facts?: LogFacts): void;
  /** A log that says these facts on every line. */
  child(facts: LogFacts): Log;
}

export interface LogOptions {
  /** The least urgent level that is still written; `info` unless told. */
  readonly level?: LogLevel;
  /** Where lines go; standard error unless told, so that standard output stays the answer of a command. */
  readonly stream?: Writable & { readonly isTTY?: boolean };
  /** Lines for eyes instead of JSON; what the stream is (a terminal or not) decides unless told. */
  readonly human?: boolean;
  readonly clock?: Clock;
}

/** A log of one line per message, as JSON or for eyes, with secrets withheld (see `withoutSecrets`). */
export function createLog(options: LogOptions = {}): Log {
  const stream = options.stream ?? process.stderr;
  const clock = options.clock ?? systemClock;
  const human = options.human ?? stream.isTTY === true;
  const logger = createLogger({
    level: options.level ?? 'info',
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: format.printf((line) => {
      const facts = withoutSecrets(line['facts']) as Record<string, unknown>;
      const time = new Date(clock.now()).toISOString();
      const message = withoutPem(String(line.message));
      return human ? humanLine(time, line.level, message, facts) : jsonLine(time, line.level, message, facts);
    }),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types its transports by shape
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  return logOf((level, message, facts) => {
    // Facts travel in a field of their own, because winston appends a `message` among them to the message itself.
    logger.log({ level, message, facts });
  }, {});
}

/** A log that says nothing, for those who were given none. */
export const silentLog: Log = logOf(() => undefined, {});

function logOf(write: (level: LogLevel, message: string, facts: LogFacts) => void, always: LogFacts): Log {
  const at =
    (level: LogLevel) =>
    (message: string, facts: LogFacts = {}): void => {
      write(level, message, { ...always, ...facts });
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (facts) => logOf(write, { ...always, ...facts }),
  };
}

function jsonLine(time: string, level: string, message: string, facts: Record<string, unknown>): string {
  return JSON.stringify({ time, level, message, ...facts });
}

/** `12:00:00.000 warn  the message  node="egress-1" lost=3`: values as JSON, so that none can forge a line of its own. */
function humanLine(time: string, level: string, message: string, facts: Record<string, unknown>): string {
  const beside = Object.entries(facts)
    .map(([key, value]) => `  ${oneLine(key)}=${oneLine(JSON.stringify(value))}`)
    .join('');
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${oneLine(message)}${beside}`;
}

/** Control characters, line ends and terminal escapes among them, as JSON writes them. */
function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
