import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const own = fileURLToPath(new URL('../../proto/', import.meta.url));
const shipped = path.join(path.dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');

const shippedRoots: readonly (readonly [prefix: string, folder: string])[] = [
  ['envoy/', 'envoy-api'],
  ['xds/', 'xds'],
  ['udpa/', 'xds'],
  ['validate/', 'protoc-gen-validate'],
  ['google/', 'googleapis'],
];

/**
 * The file that an import names, as an absolute path: third-party files inside the npm packages that ship them, ours in proto/.
 */
export function protoFile(name: string): string {
  if (name.startsWith('google/protobuf/')) {
    return path.join(path.dirname(require.resolve('protobufjs/package.json')), name);
  }
  const root = shippedRoots.find(([prefix]) => name.startsWith(prefix));
  return root ? path.join(shipped, root[1], name) : path.join(own, name);
}
