import type * as grpc from '@grpc/grpc-js';
import { readResponse } from '../control/xds/model.ts';
import { pathOf, until } from './conversation.ts';
import { bytesOf, type Fields, type Misconduct } from './fuzzed-requests.ts';
import { kinds } from './kinds.ts';

const same = (bytes: Buffer): Buffer => bytes;

/** The other end of a stream whose client follows no rule. */
export interface Ended {
  /** How the server ended it; undefined where the client stays, and does not hear. */
  readonly status: grpc.StatusObject | undefined;
  leave(): Promise<void>;
}

/** Opens a stream, does all of it, and waits until the server has read it all. `midway` is called between two acts. */
export async function misbehave(client: grpc.Client, wrong: Misconduct, midway: () => void): Promise<Ended> {
  const { variant, service, acts, end } = wrong;
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(pathOf(variant, service), same, same);
  const last = new Map<string, { readonly nonce: string; readonly version: string }>();
  let status: grpc.StatusObject | undefined;
  call.on('error', () => undefined); // The status says it.
  call.on('status', (said: grpc.StatusObject) => {
    status = said;
  });
  if (end !== 'deaf') {
    call.on('data', (bytes: Buffer) => {
      const { typeUrl, nonce, systemVersion } = readResponse(bytes, variant);
      last.set(typeUrl, { nonce, version: systemVersion });
    });
  }
  const known = (fields: Fields): Fields => {
    const type = fields.type_url === '' && service !== 'ADS' ? kinds[service].type : fields.type_url;
    const { nonce = '', version = '' } = last.get(type) ?? {};
    const { response_nonce, version_info = '' } = fields;
    return {
      ...fields,
      response_nonce: response_nonce === 'last' ? nonce : response_nonce,
      version_info: version_info === 'last' ? version : version_info,
    };
  };
  for (const [index, one] of acts.entries()) {
    if (index === Math.floor(acts.length / 2)) midway();
    if (one.act === 'hear') await heard(client);
    else
      call.write(
        one.act === 'bytes' ? Buffer.from(one.bytes) : bytesOf(variant, { ...one, fields: known(one.fields) }),
      );
  }
  if (end === 'half-close') call.end();
  if (end === 'cancel') await cancel(call);
  if (end === 'deaf') await heard(client);
  else await until('the stream ends', () => status !== undefined);
  return {
    status,
    leave: () => cancel(call),
  };
}

/** Not in the turn in which something has come over the connection: there Node may lose the reset, and the server would never hear that the stream is over. */
async function cancel(call: { cancel(): void }): Promise<void> {
  await new Promise((turn) => setImmediate(turn));
  call.cancel();
}

/** When the server has read, and answered, what was written on this connection before. */
export function heard(client: grpc.Client): Promise<void> {
  return new Promise((resolve) => {
    client.makeUnaryRequest('/sekisho.test.Nobody/Ask', same, same, Buffer.alloc(0), () => {
      resolve();
    });
  });
}
