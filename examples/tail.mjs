// Prints who changed what in the console, as it happens, and remembers where it was.
//   SEKISHO=127.0.0.1:18000 node examples/tail.mjs pki/readers/audit cursor.txt
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRecords } from 'sekisho/client';

const [folder = 'pki/readers/audit', cursorFile = 'cursor.txt'] = process.argv.slice(2);
const pem = (name) => readFileSync(join(folder, name));

const records = connectRecords({
  address: process.env.SEKISHO ?? '127.0.0.1:18000',
  tls: { ca: pem('fleet-ca.crt'), key: pem('reader.key'), certificate: pem('reader.crt') },
});
process.once('SIGTERM', () => records.close());

const tail = records.tail({
  from: lastSeen(),
  kind: 'http',
  onRetry: (error, next) => console.error(`${error.message} — trying again from ${next}`),
});
for await (const found of tail) {
  if (found.kind === 'unreadable') console.error(`record ${found.index}: ${found.message}`);
  else if (found.record['http.request.method'] !== 'GET') {
    const { time, 'user.id': user = '-', 'http.request.method': method, 'url.path': path } = found.record;
    console.log(`${time} ${user} ${method} ${path}`);
  }
  // Written behind the work, so that a crash repeats the last record rather than loses it.
  writeFileSync(cursorFile, String(found.index + 1));
}

function lastSeen() {
  try {
    return Number(readFileSync(cursorFile, 'utf8'));
  } catch {
    return 0;
  }
}
