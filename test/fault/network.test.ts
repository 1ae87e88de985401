import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeHome, startServe } from '../support/serve.ts';
import { twoNamespaces, unlessNamespaces } from './privileges.ts';

const skip = unlessNamespaces();

// Run in the other namespace: what becomes of a connection in plain text, and of one with the certificates in a folder.
const caller = `
  import { readFileSync } from 'node:fs';
  import { connect } from 'node:net';
  import { connect as secure } from 'node:tls';
  const [host, folder] = process.argv.slice(1);
  const at = { host, port: 18000 };
  const end = (socket, opened) => new Promise((resolve) => {
    let bytes = 0;
    const done = () => { socket.destroy(); resolve(bytes > 0 ? 'answered' : 'hung up on'); };
    socket.on('data', (chunk) => { bytes += chunk.length; done(); });
    socket.on('error', done).on('close', done);
    socket.once(opened, () => socket.write('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\0\\x04\\0\\0\\0\\0\\0'));
  });
  const read = (name) => readFileSync(folder + '/' + name);
  const pem = folder && { ca: read('fleet-ca.crt'), key: read('node.key'), cert: read('node.crt') };
  console.log(pem
    ? await end(secure({ ...at, ...pem, servername: 'sekisho.internal', ALPNProtocols: ['h2'] }), 'secureConnect')
    : await end(connect(at), 'connect'));
`;

test(
  'from another machine a node comes in with its certificate and not in plain text, which is logged',
  { skip },
  async (t) => {
    const { server, client, serverAddress } = twoNamespaces(t);
    const home = await makeHome(t, { address: '127.0.0.1', grpc: '0.0.0.0:18000' });
    await home.pki.client('node', 'egress-1');
    const served = await startServe(t, home, { under: server });
    const call = async (from: readonly string[], host: string, folder = ''): Promise<string> => {
      const words = [...from, process.execPath, '--input-type=module', '--eval', caller, host, folder];
      const child = spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
      const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
      return said.trim();
    };

    assert.equal(await call(client, serverAddress), 'hung up on');
    const line = await served.logged('plain text is for loopback only');
    assert.match(String(line['remote']), /^192\.0\.2\.2:\d+$/);
    assert.equal(await call(client, serverAddress, join(home.pki.online, 'nodes', 'egress-1')), 'answered');
    // An address that other machines reach is for certificates, whoever comes.
    assert.equal(await call(server, serverAddress), 'hung up on');
    assert.equal(await call(server, '127.0.0.1'), 'hung up on');
    assert.equal(served.lines.filter(({ message }) => message.includes('plain text is for')).length, 3);
  },
);
