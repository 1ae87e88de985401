import * as z from 'zod';
import { parseHostPattern } from '../aws/host-pattern.ts';
import { limits } from './limits.ts';
import { addressText, parseAddress, parseNetwork } from './network.ts';
import type { ProblemCode, Refusal } from './problem.ts';
import { parseHost, parseHostSocket, parseSocket } from './socket-address.ts';
import { whyNotPublic } from './special-networks.ts';

/** What stands beside a key in the schema, the reference and an editor's hover. */
export interface FieldNotes {
  /** What it means, and the reason of its bound. */
  readonly description: string;
  /** As one would write it in YAML. */
  readonly examples: readonly unknown[];
  /** The type in words, where the JSON type says too little. */
  readonly wants: string;
}

/** A text that is read into something else, or refused with a reason. */
export function text<T extends string | object>(read: (text: string) => T | Refusal, notes: FieldNotes) {
  return z
    .string()
    .transform((value, context) => {
      const result = read(value);
      if (!isRefusal(result)) return result;
      context.addIssue({ code: 'custom', message: result.refused, params: { code: 'value', remedy: result.remedy } });
      return z.NEVER;
    })
    .meta({ ...notes });
}

/** What a custom issue carries besides its message. */
export function issueParams(params: Record<string, unknown> | undefined): { code: ProblemCode; remedy: string } {
  const remedy = params?.['remedy'];
  return { code: 'value', remedy: typeof remedy === 'string' ? remedy : 'see docs/policy.md' };
}

export function readLabel(value: string): string | Refusal {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return value;
  return {
    refused: `"${value}" is no DNS label`,
    remedy: 'use 1 to 63 of a-z, 0-9 and -, with no - at either end',
  };
}

export function readNodeId(value: string): string | Refusal {
  const host = parseHost(value);
  if (typeof host === 'string' && host === value && !value.includes(':') && !/^[\d.]+$/.test(value)) return value;
  return {
    refused: `"${value}" is no node id`,
    remedy: 'use a DNS name in lower case, such as egress-1; an address goes into address:',
  };
}

/** `*` stands for any number of characters, as in a shell. */
export function readGlob(value: string): string | Refusal {
  const remedy = 'use a node id with one to four *, such as "host-*"';
  if (!/^[a-z0-9.*-]{1,253}$/.test(value)) return { refused: `"${value}" is no pattern of node ids`, remedy };
  const stars = value.split('*').length - 1;
  if (stars < 1 || stars > 4 || value.includes('**')) return { refused: `"${value}" has ${stars} *`, remedy };
  return value;
}

export function readEgress(value: string) {
  const network = parseNetwork(value);
  if ('refused' in network) return network;
  const why = whyNotPublic(network);
  if (why === undefined) return network;
  return {
    refused: `AWS never sees "${value}" as a source address: ${why}`,
    remedy: 'write the public address that the fleet goes out with (behind NAT, the address of the NAT)',
  };
}

export function readAddress(value: string): string | Refusal {
  const address = parseAddress(value);
  return 'refused' in address ? address : addressText(address);
}

export function readPattern(value: string): string | Refusal {
  const result = parseHostPattern(value);
  return 'refused' in result ? result : result.pattern;
}

/** DNS asks on 53. */
export const readResolver = (value: string) => parseSocket(value, 53);
/** The console speaks HTTPS. */
export const readEndpoint = (value: string) => parseSocket(value, 443);
export const readListen = (value: string) => parseSocket(value);
export const readHost = (value: string) => parseHost(value);
export const readHostSocket = (value: string) => parseHostSocket(value);
export const readNetwork = (value: string) => parseNetwork(value);

export function readFileName(value: string): string | Refusal {
  if (value !== '' && !value.includes('\0')) return value;
  return { refused: 'no file is named', remedy: "write a path, relative to the policy's folder" };
}

/** A path in which `*` stands for any characters of one name. */
export function readFilePattern(value: string): string | Refusal {
  if (!value.includes('**')) return readFileName(value);
  return {
    refused: `"${value}" goes through folders`,
    remedy: 'write one pattern for each folder, such as extra/*.yaml',
  };
}

export function readParameter(value: string): string | Refusal {
  if (/^[^\s&=#?]{1,128}$/.test(value)) return value.toLowerCase();
  return { refused: `"${value}" is no query parameter`, remedy: 'write its name alone, such as token' };
}

/** `90s`, `30m`, `12h`, `7d`; within these bounds. */
export function durationWithin(bounds: { readonly min: number; readonly max: number }) {
  return (value: string): { readonly seconds: number } | Refusal => {
    const remedy = 'write a number with s, m, h or d, such as 90s, 30m, 12h or 7d';
    const [whole, count, unit] = /^(\d{1,9})([smhd])$/.exec(value) ?? [];
    if (whole === undefined) return { refused: `"${value}" is no duration`, remedy };
    const seconds = Number(count) * (unitSeconds[unit ?? ''] ?? 0);
    if (seconds >= bounds.min && seconds <= bounds.max) return { seconds };
    return { refused: `"${value}" is not within ${duration(bounds.min)} and ${duration(bounds.max)}`, remedy };
  };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** In the largest unit of which it is a whole number. */
function duration(seconds: number): string {
  const [unit, size] = Object.entries(unitSeconds).findLast(([, each]) => seconds % each === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}

/** `10%`: a whole number, from which neither nobody nor everybody follows. */
export function readShare(value: string): { readonly percent: number } | Refusal {
  const percent = Number(/^(\d{1,2})%$/.exec(value)?.[1] ?? 0);
  if (percent > 0) return { percent };
  return { refused: `"${value}" is no share`, remedy: 'write 1% to 99%, or a list of node ids' };
}

export function readReason(value: string): string | Refusal {
  if (value.length > limits.reason) {
    return { refused: `the reason has more than ${limits.reason} characters`, remedy: 'say it shorter' };
  }
  if (value.trim() !== '') return value.trim();
  return { refused: 'the reason is empty', remedy: 'say why, for those who review the policy' };
}

function isRefusal(value: string | object): value is Refusal {
  return typeof value === 'object' && 'refused' in value && 'remedy' in value;
}
