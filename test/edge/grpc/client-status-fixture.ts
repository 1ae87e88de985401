import type { TestContext } from 'node:test';
import type * as grpc from '@grpc/grpc-js';
import type { Publisher } from '../../../src/control/xds/publisher.ts';
import type { ClientStatusLimits, ClientStatusService } from '../../../src/edge/grpc/client-status.ts';
import { clientStatusService } from '../../../src/edge/grpc/client-status.ts';
import { readerOf } from '../../../src/edge/grpc/reader.ts';
import { startGrpcServer } from '../../../src/edge/grpc/server.ts';
import { decode } from '../../../src/wire/proto-json.ts';
import { rawService } from '../../../src/wire/services.ts';
import { encode } from '../../sink/record/entries.ts';
import { dial } from '../../support/serve.ts';
import { sharedPki } from './fixture.ts';

export const pki = await sharedPki();
const credentials = await pki.server();

/** A ClientStatusResponse in ProtoJSON, as far as the tests read it. */
export interface ClientStatusJson {
  readonly config?: readonly {
    readonly node: { readonly id: string; readonly cluster?: string; readonly userAgentVersion?: string };
    readonly genericXdsConfigs?: readonly RowJson[];
  }[];
}

export interface RowJson {
  readonly typeUrl: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly clientStatus: string;
  readonly configStatus: string;
  readonly lastUpdated?: string;
  readonly xdsConfig?: { readonly '@type': string; readonly name?: string };
  readonly errorState?: {
    readonly details?: string;
    readonly versionInfo?: string;
    readonly lastUpdateAttempt: string;
    readonly failedConfiguration?: unknown;
  };
}

/** A server with nothing but the states of the streams of a publisher. */
export async function startClientStatus(
  t: TestContext,
  options: { publisher: Publisher; limits?: Partial<ClientStatusLimits> },
): Promise<{ to: string; failed: string[]; service: ClientStatusService }> {
  const { publisher, limits } = options;
  const failed: string[] = [];
  const service = clientStatusService({
    publisher,
    identify: (call) => readerOf(call, 'tokyo'),
    failed: ({ code }) => failed.push(code),
    ...(limits && { limits }),
  });
  const server = await startGrpcServer({
    listen: { host: '127.0.0.1', port: 0 },
    credentials,
    services: [service],
    arrived: () => undefined,
    refused: () => undefined,
  });
  t.after(async () => {
    service.close();
    await server.close(50);
  });
  return { to: `127.0.0.1:${server.port}`, failed, service };
}

const same = (bytes: Buffer): Buffer => bytes;
const { FetchClientStatus, StreamClientStatus } = rawService('envoy.service.status.v3.ClientStatusDiscoveryService');

/** A ClientStatusRequest. */
export function statusRequest(fields: object): Buffer {
  return encode('envoy.service.status.v3.ClientStatusRequest', fields);
}

export function readStatus(bytes: Buffer): ClientStatusJson {
  return decode('envoy.service.status.v3.ClientStatusResponse', bytes) as ClientStatusJson;
}

/** The bytes of the response, or the status where there is none. */
export function fetchBytes(client: grpc.Client, request: Buffer): Promise<Buffer | grpc.ServiceError> {
  return new Promise((resolve) => {
    client.makeUnaryRequest<Buffer, Buffer>(FetchClientStatus?.path ?? '', same, same, request, (error, response) => {
      resolve(error ?? response ?? Buffer.alloc(0));
    });
  });
}

/** Throws the status where there is no response. */
export async function fetchStatus(client: grpc.Client, fields: object = {}): Promise<ClientStatusJson> {
  const found = await fetchBytes(client, statusRequest(fields));
  if (!Buffer.isBuffer(found)) throw found;
  return readStatus(found);
}

export function openStatusStream(client: grpc.Client): grpc.ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest<Buffer, Buffer>(StreamClientStatus?.path ?? '', same, same);
}

/** What is told of the streams of a publisher now. */
export async function told(t: TestContext, publisher: Publisher): Promise<ClientStatusJson> {
  const { to } = await startClientStatus(t, { publisher });
  return fetchStatus(dial(t, to));
}

/** The resources of the node with that id, of the first one unless told. */
export function rowsOf({ config = [] }: ClientStatusJson, id?: string): readonly RowJson[] {
  const found = config.find((one) => id === undefined || one.node.id === id);
  return found?.genericXdsConfigs ?? [];
}
