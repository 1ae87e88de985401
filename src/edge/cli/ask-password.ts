import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';

/** A terminal, or whatever else stands for standard input. */
type Input = NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY'>>;

/** As long as a line that a proxy would still look at. */
const longest = 512;

/** A new password: asked for twice on a terminal, without echo; else the one line that there is. */
export async function askPassword(
  input: Input,
  say: (text: string) => void,
  what: string,
): Promise<string | { readonly refused: string }> {
  // A terminal's own echo is off while readline reads, and what readline would write goes nowhere.
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const reader = createInterface({ input, output: nowhere, terminal: input.isTTY === true, historySize: 0 });
  const lines = reader[Symbol.asyncIterator]();
  // undefined where the input ends, or a person gives up (Ctrl-C, Ctrl-D).
  const next = async (): Promise<string | undefined> => {
    const line = await lines.next();
    return line.done === true ? undefined : line.value;
  };
  try {
    if (input.isTTY !== true) return judged((await next()) ?? '');
    say(`${what}:`);
    const first = await next();
    if (first === undefined) return { refused: 'no password was given' };
    const good = judged(first);
    if (typeof good !== 'string') return good;
    say('the same once more:');
    return (await next()) === first ? good : { refused: 'the two are not the same' };
  } finally {
    reader.close();
  }
}

function judged(password: string): string | { readonly refused: string } {
  if (password === '') return { refused: 'the password is empty' };
  if (Buffer.byteLength(password) > longest) return { refused: `the password has more than ${longest} bytes` };
  // RFC 7617 section 2: no browser could send it.
  return /\p{Cc}/u.test(password) ? { refused: 'the password holds a control character' } : password;
}
