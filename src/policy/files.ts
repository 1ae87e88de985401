import path from 'node:path';
import { SekishoError, errnoOf } from '../base/errors.ts';
import { parseCertificateFile } from './certificate-file.ts';
import type { Draft } from './draft.ts';
import { items } from './draft.ts';
import { limits } from './limits.ts';
import type { Accounts } from './policy.types.ts';
import { type Finding, finding, type Path, type Refusal } from './problem.ts';
import { parseUsersFile } from './users-file.ts';

export type ReadFile = (path: string) => Promise<string | Uint8Array>;

export interface PolicyFiles {
  /** PEM text by the file's name in the policy: certificates only, one after another. */
  readonly certificates: ReadonlyMap<string, string>;
  /** The people of the users files, by the file's name in the policy. */
  readonly accounts: ReadonlyMap<string, Accounts>;
  /** Absolute paths of all of them, good or bad. */
  readonly paths: readonly string[];
  readonly findings: readonly Finding[];
}

/** Reads the files that the policy names, relative to the policy's folder. */
export async function readPolicyFiles(draft: Draft, folder: string, readFile: ReadFile): Promise<PolicyFiles> {
  const certificates = new Map<string, string>();
  const accounts = new Map<string, Accounts>();
  const findings: Finding[] = [];
  const uses = usesOf(draft);
  for (const use of uses) {
    const refuse = ({ refused, remedy }: Refusal): void =>
      void findings.push(finding('file', use.path, refused, remedy));
    // What is wrong with a users file is told line by line, and once.
    if (use.holds === 'users' && accounts.has(use.file)) continue;
    const text = await readText(path.resolve(folder, use.file), use, readFile);
    if (typeof text !== 'string') {
      refuse(text);
    } else if (use.holds === 'users') {
      const users = parseUsersFile(text);
      const file = path.isAbsolute(use.file) ? use.file : path.join(folder, use.file);
      accounts.set(use.file, users.accounts);
      for (const { line, refused, remedy } of users.problems) {
        findings.push({ ...finding('file', use.path, refused, remedy), within: { file, line, column: 1 } });
      }
    } else {
      const read = readCertificates(text, use);
      if (typeof read === 'string') certificates.set(use.file, read);
      else refuse(read);
    }
  }
  return { certificates, accounts, findings, paths: uses.map(({ file }) => path.resolve(folder, file)) };
}

interface FileUse {
  readonly path: Path;
  readonly file: string;
  /** `authorities`: each certificate must be one. A trust anchor may be a server's own. */
  readonly holds: 'authorities' | 'certificates' | 'users';
}

function usesOf(draft: Draft): FileUse[] {
  const doors = items(draft.doors).flatMap(({ value: { users }, index }): FileUse[] => {
    if (users === undefined || users === 'none') return [];
    const at: Path = ['doors', index, 'users'];
    if ('basic' in users && users.basic !== undefined) {
      return [{ path: [...at, 'basic'], file: users.basic, holds: 'users' }];
    }
    if (!('certificate' in users) || users.certificate === undefined) return [];
    return [{ path: [...at, 'certificate'], file: users.certificate, holds: 'authorities' }];
  });
  const trust = draft.console?.trust;
  return trust === undefined ? doors : [...doors, { path: ['console', 'trust'], file: trust, holds: 'certificates' }];
}

async function readText(location: string, { file, holds }: FileUse, readFile: ReadFile): Promise<string | Refusal> {
  let text: string;
  try {
    const content = await readFile(location);
    text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  } catch (caught) {
    const why = errnoOf(caught) ?? SekishoError.from(caught).message;
    return { refused: `cannot read "${file}" (${why})`, remedy: `make ${location} readable, or correct the path` };
  }
  const most = holds === 'users' ? limits.usersBytes : limits.pemBytes;
  if (text.length <= most) return text;
  return { refused: `"${file}" is larger than ${most} bytes`, remedy: 'keep what is needed' };
}

function readCertificates(text: string, { file, holds }: FileUse): string | Refusal {
  const read = parseCertificateFile(text, file);
  if ('refused' in read) return read;
  if (holds !== 'authorities' || read.certificates.every((certificate) => certificate.ca)) return read.pem;
  return {
    refused: `"${file}" holds a certificate that is no authority`,
    remedy: 'write the authorities that sign, not what they signed',
  };
}
