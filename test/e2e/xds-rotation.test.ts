import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { describe, test, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { silentLog } from '../../src/base/log.ts';
import { keyPem, newKey } from '../../src/control/ca/key.ts';
import { signCertificate } from '../../src/control/ca/sign.ts';
import { startEnvoy } from '../../src/edge/envoy/start-envoy.ts';
import { resource, type ResourceInput } from '../../src/xds/index.ts';
import { eventually, findEnvoy, ownLoopback } from '../support/envoy.ts';
import { atEnd, temporary } from '../support/serve.ts';
import { bootstrapOf, envoyType, modes, sourceOf, startPlane, type Mode } from '../support/xds-plane.ts';

const rotations = 5;
/** Those who keep their connection, and those who come anew for every request. */
const crowd = { staying: 4, coming: 4 };

for (const mode of modes) {
  describe(`an Envoy that asks for its certificate by ${mode.mode}`, () => {
    test('shows each new one under load, and no request fails and no connection breaks', async (t) => {
      const address = ownLoopback();
      const plane = await startPlane(address);
      atEnd(t, () => {
        plane.end();
      });
      const listener = door(address, mode);
      let shown = await newCertificate();
      plane.publish([listener, secretOf(shown)]);
      await startDoor(t, address, plane.port, mode);
      await eventually('the door is open', () =>
        visit(newcomer(), address).then(
          () => true,
          () => false,
        ),
      );

      const load = underLoad(t, address);
      const sent = (): number => plane.allEvents.filter((event) => event.kind === 'sent').length;
      for (let times = 0; times < rotations; times += 1) {
        const before = sent();
        shown = await newCertificate();
        plane.publish([listener, secretOf(shown)]);
        const wanted = shown.fingerprint;
        await eventually('the door shows it', async () => (await visit(newcomer(), address)) === wanted);
        // Nothing but the secret is told.
        assert.equal(sent() - before, 1);
        const answered = load.answered();
        await eventually('requests go on', () => Promise.resolve(load.answered() > answered + 50));
      }
      const { failures, connections } = await load.end();
      assert.deepEqual(failures, []);
      assert.equal(connections, crowd.staying);
    });
  });
}

interface Certificate {
  readonly chain: string;
  readonly key: string;
  /** SHA-256, as Node shows it of a peer. */
  readonly fingerprint: string;
}

async function newCertificate(): Promise<Certificate> {
  const key = await newKey();
  const life = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const certificate = await signCertificate({ key, subject: { commonName: 'door' }, ...life, usage: 'server' });
  return { chain: certificate.toString(), key: keyPem(key), fingerprint: certificate.fingerprint256 };
}

function secretOf({ chain, key }: Certificate): ResourceInput {
  return resource({
    '@type': envoyType('extensions.transport_sockets.tls.v3.Secret'),
    name: 'door',
    tls_certificate: { certificate_chain: { inline_string: chain }, private_key: { inline_string: key } },
  });
}

/** It answers by itself. */
function door(address: string, mode: Mode): ResourceInput {
  const manager = {
    '@type': envoyType('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'door',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }] },
      ],
    },
    http_filters: [
      { name: 'router', typed_config: { '@type': envoyType('extensions.filters.http.router.v3.Router') } },
    ],
  };
  const tls = {
    '@type': envoyType('extensions.transport_sockets.tls.v3.DownstreamTlsContext'),
    common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'door', sds_config: sourceOf(mode) }] },
  };
  return resource({
    '@type': envoyType('config.listener.v3.Listener'),
    name: 'door',
    address: { socket_address: { address, port_value: 8443 } },
    filter_chains: [
      { filters: [{ name: 'http', typed_config: manager }], transport_socket: { name: 'tls', typed_config: tls } },
    ],
  });
}

async function startDoor(t: TestContext, address: string, port: number, mode: Mode): Promise<void> {
  const envoy = await startEnvoy({
    path: (await findEnvoy()).path,
    bootstrap: { text: JSON.stringify(bootstrapOf(address, port, mode)) },
    nodeId: 'door',
    cluster: 'test',
    workDir: await temporary(t),
    log: silentLog,
  });
  atEnd(t, () => envoy.stop());
}

function newcomer(): Agent {
  return new Agent({ keepAlive: false, rejectUnauthorized: false, maxCachedSessions: 0 });
}

interface Load {
  answered(): number;
  /** What went wrong, and over how many connections those came who keep theirs. */
  end(): Promise<{ failures: readonly unknown[]; connections: number }>;
}

function underLoad(t: TestContext, address: string): Load {
  const stopping = new AbortController();
  atEnd(t, () => {
    stopping.abort();
  });
  const failures: unknown[] = [];
  let answered = 0;
  const staying = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: crowd.staying });
  const connections = new Set<TLSSocket>();
  const ask = async (agent: () => Agent, seen: (socket: TLSSocket) => void): Promise<void> => {
    while (!stopping.signal.aborted) {
      await visit(agent(), address, seen).then(
        () => (answered += 1),
        (caught: unknown) => failures.push(caught),
      );
    }
  };
  const people = [
    ...Array.from({ length: crowd.staying }, () =>
      ask(
        () => staying,
        (socket) => connections.add(socket),
      ),
    ),
    ...Array.from({ length: crowd.coming }, () => ask(newcomer, () => undefined)),
  ];
  return {
    answered: () => answered,
    end: async () => {
      stopping.abort();
      await Promise.all(people);
      staying.destroy();
      return { failures, connections: connections.size };
    },
  };
}

/** One request; gives the fingerprint of the certificate that was shown on its connection. */
function visit(agent: Agent, host: string, seen: (socket: TLSSocket) => void = () => undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ agent, host, port: 8443 }, (response) => {
      const { socket } = response;
      assert.ok(socket instanceof TLSSocket);
      seen(socket);
      const fingerprint = socket.getPeerCertificate().fingerprint256;
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(fingerprint);
        else reject(new Error(`status ${response.statusCode ?? 0}`));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}
