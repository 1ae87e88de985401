import path from 'node:path';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import type { FilterWords } from '../../wire/records-api.ts';
import { connectRecords, type Found, type TlsFiles } from '../../client/index.ts';
import type { QueryItem } from '../../sink/query/query-records.ts';
import type { RecordSource } from '../../sink/query/union.ts';

export interface OtherSinks {
  readonly sources: readonly RecordSource[];
  close(): void;
}

/**
 * Other sinks of the fleet, asked for what answers this question. `reader`: the folder that `sekisho ca reader` made; absent, they are asked in plain text, which a
 * sink takes over loopback only. One that cannot be read to its end is told of, and the others go on.
 */
export async function otherSinks(options: {
  readonly addresses: readonly string[];
  readonly reader: string | undefined;
  readonly question: FilterWords;
  readonly failed: (address: string, why: SekishoError) => void;
}): Promise<OtherSinks> {
  const { addresses, reader, question, failed } = options;
  const tls = reader === undefined ? undefined : await certificatesIn(reader);
  const clients = addresses.map((address) => connectRecords({ address, ...(tls && { tls }) }));
  return {
    sources: clients.map((client, at) => {
      const sink = addresses[at] ?? '';
      return {
        sink,
        items: untilFailed(client.query(question), (why) => {
          failed(sink, why);
        }),
      };
    }),
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

async function* untilFailed(
  found: AsyncIterable<Found>,
  failed: (why: SekishoError) => void,
): AsyncGenerator<QueryItem> {
  try {
    for await (const one of found) yield itemOf(one);
  } catch (caught) {
    failed(SekishoError.from(caught));
  }
}

function itemOf(found: Found): QueryItem {
  if (found.kind === 'record') return { kind: 'record', index: found.index, record: found.record };
  const { index, message, lost } = found;
  return { kind: 'unreadable', index, error: new SekishoError('record_malformed', message, { facts: { lost } }) };
}

async function certificatesIn(folder: string): Promise<TlsFiles> {
  const read = (name: string): Promise<Buffer> => realDisk.readFile(path.join(folder, name));
  try {
    return { ca: await read('fleet-ca.crt'), key: await read('reader.key'), certificate: await read('reader.crt') };
  } catch (caught) {
    const message = `the certificates of a reader cannot be read in ${folder} — make them with sekisho ca reader NAME, and name their folder with --reader`;
    throw new SekishoError('file_unreadable', message, { facts: { path: folder }, cause: caught });
  }
}
