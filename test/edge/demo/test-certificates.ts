import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestCertificates {
  /** The CA that signed the others, PEM. */
  readonly ca: string;
  /** A server for every host in these tests, and a client named taro; PEM. */
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Made once per process with the openssl command, so that tests trust nothing that the project itself made. */
export function testCertificates(): TestCertificates {
  return (made ??= make());
}

let made: TestCertificates | undefined;

const names = [
  'console.aws.amazon.com',
  '*.console.aws.amazon.com',
  'signin.aws.amazon.com',
  'proxy.example',
  'localhost',
];

function make(): TestCertificates {
  const dir = mkdtempSync(join(tmpdir(), 'sekisho-certificates-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const sign = (name: string, subject: string, extensions: string) => {
    writeFileSync(join(dir, `${name}.ext`), extensions);
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    openssl(
      ...'x509 -req -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial'.split(' '),
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.crt`,
      '-extfile',
      `${name}.ext`,
    );
  };
  try {
    openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test CA');
    sign(
      'server',
      '/CN=stand-in',
      `subjectAltName=${names.map((n) => `DNS:${n}`).join(',')},IP:127.0.0.1\nextendedKeyUsage=serverAuth`,
    );
    sign('client', '/CN=taro', 'extendedKeyUsage=clientAuth');
    return {
      ca: read('ca.crt'),
      cert: read('server.crt'),
      key: read('server.key'),
      clientCert: read('client.crt'),
      clientKey: read('client.key'),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
