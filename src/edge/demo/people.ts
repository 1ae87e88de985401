import path from 'node:path';
import { realDisk } from '../../base/disk.ts';
import { makeFolder, writeCertificate, writeKey } from '../../control/ca/credential-files.ts';
import { newKey } from '../../control/ca/key.ts';
import { signCertificate } from '../../control/ca/sign.ts';

/** A person with a client certificate, as files. */
export interface Person {
  readonly name: string;
  /** The certificate of the authority that the door trusts for its people. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/** A company's authority for its people, and one person: what a company already has and the demo has not. */
export async function peopleCertificates(folder: string, name: string): Promise<Person> {
  await makeFolder(realDisk, folder);
  const life = { notBefore: new Date(Date.now() - 300_000), notAfter: new Date(Date.now() + 7 * dayMs) };
  const authority = { key: await newKey(), subject: { commonName: 'Demo people' }, ...life };
  const root = { key: authority.key, certificate: await signCertificate({ ...authority, ca: { pathLength: 0 } }) };
  const key = await newKey();
  const certificate = await signCertificate(
    { key, subject: { commonName: name, unit: 'people' }, ...life, usage: 'client' },
    root,
  );
  const person = {
    name,
    authority: path.join(folder, 'people-ca.crt'),
    certificate: path.join(folder, `${name}.crt`),
    key: path.join(folder, `${name}.key`),
  };
  await writeCertificate(realDisk, person.authority, root.certificate);
  await writeCertificate(realDisk, person.certificate, certificate);
  await writeKey(realDisk, person.key, key);
  return person;
}
