// A process that owns an Envoy, to be killed by the test: argv is the Envoy binary and a folder; prints the Envoy's process id.
import { silentLog } from '../../../src/base/log.ts';
import { startEnvoy } from '../../../src/edge/envoy/start-envoy.ts';

const [path = '', workDir = ''] = process.argv.slice(2);
const text = JSON.stringify({ admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } } });
const envoy = await startEnvoy({ path, workDir, bootstrap: { text }, nodeId: 'n', cluster: 'c', log: silentLog });
process.stdout.write(`${envoy.pid}\n`);
