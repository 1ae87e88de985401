import { decodingRounds, percentDecodeOnce } from './percent.ts';
import type { RedactionRules } from './redaction-rules.ts';

/** What stands where a value was withheld. */
export const redacted = 'REDACTED';

/** What a mark shows of a parameter's name. */
const longestName = 64;

/**
 * The fast answer for most texts, without making a string: false where `redactText` would change nothing. A secret needs a name before
 * a bare `=` or a quote, an `@`, or an encoded `=`, `@`, `%` or quote.
 */
export function mayHoldSecret(buffer: Buffer, from: number, to: number, rules: RedactionRules): boolean {
  for (let index = from; index < to; index += 1) {
    const byte = buffer[index] ?? 0;
    // Nearly all bytes are letters, digits, blanks, `-`, `.` or `/`: one look tells.
    if (suspicious[byte] === 0) continue;
    if (byte === 0x40) return true;
    if (byte !== 0x25 && isSecretBefore(buffer, from, index, rules)) return true;
    if (byte === 0x25 && index + 2 < to && hides(buffer[index + 1] ?? 0, buffer[index + 2] ?? 0)) return true;
  }
  return false;
}

const suspicious = new Uint8Array(256);
for (const char of '=%@"\'') suspicious[char.charCodeAt(0)] = 1;

/** Whether a secret's name stands before an `=` or a quote; `\"` is a quote inside quoted JSON. */
function isSecretBefore(buffer: Buffer, floor: number, sign: number, rules: RedactionRules): boolean {
  let end = sign;
  while (end > floor && (isBlank(buffer[end - 1] ?? 0) || buffer[end - 1] === 0x5c)) end -= 1;
  let start = end;
  while (start > floor && !endsName(buffer[start - 1] ?? 0)) start -= 1;
  return rules.isSecretParameter(buffer, start, end);
}

/** Whether two hexadecimal digits are those of `=` (3d), `@` (40), `%` (25) or a quote (22, 27). */
function hides(first: number, second: number): boolean {
  if (first === 0x33) return (second | 0x20) === 0x64;
  if (first === 0x34) return second === 0x30;
  return first === 0x32 && (second === 0x35 || second === 0x32 || second === 0x37);
}

/**
 * Withholds the secrets of a text that is, or contains, a URL, a path with a query, or a query: values of secret parameters in
 * query, fragment and matrix parameters, values that carry such a parameter percent-encoded, userinfo, and members of JSON.
 *
 * `text` has one char per byte (latin1), so that broken UTF-8 passes through unharmed. A withheld value runs to the next `&`; in the
 * path also to the `?` or `#`. Everything else that could end it (`;`, a space) may be part of a secret, so it goes too. What follows
 * a secret member of bare JSON is withheld to the end, for inside its strings `&` and `?` end nothing.
 * `mark` is told what was withheld: `?code`, `@userinfo`, or '' where it has no name. Linear in the text's length.
 */
export function redactText(text: string, rules: RedactionRules, mark: (what: string) => void): string {
  let before = text;
  // What was withheld may have kept its neighbours apart, which together read as a userinfo. One pass more nearly always ends it.
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const after = redactOnce(before, rules, mark);
    if (after === before) break;
    before = after;
  }
  return before;
}

const mostPasses = 4;

function redactOnce(text: string, rules: RedactionRules, mark: (what: string) => void): string {
  const member = firstMember(text, rules);
  if (member === undefined || isWithheld(text.slice(member.from))) return redactUrl(text, rules, mark);
  mark(markOf(member));
  return redactUrl(text.slice(0, member.from) + redacted, rules, mark);
}

function redactUrl(text: string, rules: RedactionRules, mark: (what: string) => void): string {
  const bare = text.includes('@') ? withoutUserinfo(text, mark) : text;
  const endOfPath = bare.search(/[?#]/);
  if (endOfPath < 0) return withoutSecrets(bare, rules, mark);
  const path = withoutSecrets(bare.slice(0, endOfPath), rules, mark);
  return path + bare.charAt(endOfPath) + withoutSecrets(bare.slice(endOfPath + 1), rules, mark);
}

/** For the authority of a request: all before the last `@` is userinfo, with or without a scheme. */
export function redactAuthority(authority: string, mark: (what: string) => void): string {
  const end = [...authority.matchAll(/@|%(?:25)*40/g)].at(-1)?.index ?? 0; // An encoded `@` is somebody's mistake with a password in it.
  if (end === 0 || authority.slice(0, end) === redacted) return authority;
  mark('@userinfo');
  return redacted + authority.slice(end);
}

function withoutSecrets(text: string, rules: RedactionRules, mark: (what: string) => void): string {
  if (!text.includes('&')) return withoutSecret(text, rules, mark);
  return text
    .split('&')
    .map((unit) => withoutSecret(unit, rules, mark))
    .join('&');
}

/** A unit between two `&`: kept up to its first secret, withheld from there on. */
function withoutSecret(unit: string, rules: RedactionRules, mark: (what: string) => void): string {
  const secret = firstSecret(unit, rules);
  const hidden = firstHiddenSecret(secret === undefined ? unit : unit.slice(0, secret.from), rules);
  const found = hidden ?? secret;
  if (found === undefined) return unit;
  if (isWithheld(unit.slice(found.from))) return unit;
  mark(markOf(found));
  return unit.slice(0, found.from) + redacted;
}

/** There is nothing to withhold, or it has been. */
function isWithheld(value: string): boolean {
  return value === '' || value === redacted;
}

function markOf({ name }: Secret): string {
  return name === '' ? '' : `?${name.slice(0, longestName)}`;
}

interface Secret {
  /** The parameter's name, '' where there is none. */
  readonly name: string;
  /** Where its value starts. */
  readonly from: number;
}

/** The first `name=` with a secret's name. */
function firstSecret(unit: string, rules: RedactionRules): Secret | undefined {
  for (let equals = unit.indexOf('='), after = 0; equals >= 0; equals = unit.indexOf('=', after)) {
    const name = rules.secretParameter(unit.slice(startOfName(unit, equals, after), equals));
    if (name !== undefined) return { name, from: equals + 1 };
    after = equals + 1;
  }
  return undefined;
}

/** The first `"name":` with a secret's name, as in JSON, which may itself be quoted in JSON. */
function firstMember(text: string, rules: RedactionRules): Secret | undefined {
  if (!/["']/.test(text)) return undefined;
  for (let colon = text.indexOf(':'), after = 0; colon >= 0; colon = text.indexOf(':', after)) {
    const end = endOfQuoted(text, colon, after);
    const name = end === undefined ? undefined : rules.secretParameter(text.slice(startOfName(text, end, after), end));
    if (name !== undefined) return { name, from: colon + 1 };
    after = colon + 1;
  }
  return undefined;
}

/** Where the name before `"` and the colon ends; undefined if it is not quoted. */
function endOfQuoted(text: string, colon: number, floor: number): number | undefined {
  let end = colon;
  while (end > floor && isBlank(text.charCodeAt(end - 1))) end -= 1;
  if (end === floor || !/["']/.test(text.charAt(end - 1))) return undefined;
  while (end > floor && /["'\\\s]/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

function startOfName(unit: string, equals: number, floor: number): number {
  let start = equals;
  // Blanks before the `=` belong to no name: `token = x`.
  while (start > floor && isBlank(unit.charCodeAt(start - 1))) start -= 1;
  while (start > floor && !endsName(unit.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** By char code: what no name contains. */
const nameEnds = new Uint8Array(256);
for (const char of '?&#;=,"\'<>(){}|/\\`') nameEnds[char.charCodeAt(0)] = 1;

function endsName(char: number): boolean {
  return char <= 0x20 || nameEnds[char] === 1;
}

function isBlank(char: number): boolean {
  return char <= 0x20;
}

/** Where a secret shows only after percent-decoding, all from the enclosing parameter's value (or the first `%`) on is its place. */
function firstHiddenSecret(unit: string, rules: RedactionRules): Secret | undefined {
  if (!mayHide(unit) || !holdsSecret(percentDecodeOnce(unit), rules, 1)) return undefined;
  const equals = unit.indexOf('=');
  const sign = unit.indexOf('%');
  // The secret may be a userinfo that began before the first `%`: `https://user:password%40host`.
  const authority = startOfUserinfo(unit, startOfSegment(unit, sign, 0), sign);
  if (equals < 0 || authority < equals) return { name: '', from: authority };
  return { name: unit.slice(startOfName(unit, equals, 0), equals), from: equals + 1 };
}

/** An encoded `=`, `@`, `%` or quote, or a bare `@` or quote beside which something is encoded; a secret hides behind nothing else. */
function mayHide(text: string): boolean {
  return text.includes('%') && /%(?:3d|40|25|22|27)|[@"']/i.test(text);
}

function holdsSecret(text: string, rules: RedactionRules, round: number): boolean {
  if (firstSecret(text, rules) !== undefined || firstMember(text, rules) !== undefined) return true;
  if (text.includes('@') && userinfo(text).next().done !== true) return true;
  if (!mayHide(text)) return false;
  const decoded = percentDecodeOnce(text);
  if (decoded === text) return false; // A stray `%`.
  return round >= decodingRounds || holdsSecret(decoded, rules, round + 1);
}

function withoutUserinfo(text: string, mark: (what: string) => void): string {
  let kept = '';
  let done = 0;
  for (const { from, to } of userinfo(text)) {
    mark('@userinfo');
    kept += text.slice(done, from) + redacted;
    done = to;
  }
  return kept + text.slice(done);
}

/** Every `user:password` of `//user:password@host` or `https:user:password@host`, which browsers take for the same. */
function* userinfo(text: string): Generator<{ from: number; to: number }> {
  for (let at = text.indexOf('@'), floor = 0; at >= 0; at = text.indexOf('@', floor)) {
    const from = startOfSegment(text, at, floor);
    let end = at;
    while (end < text.length && !endsAuthority(text.charCodeAt(end))) end += 1;
    const last = text.lastIndexOf('@', end - 1);
    const begin = startOfUserinfo(text, from, last);
    if (begin < last && text.slice(begin, last) !== redacted) yield { from: begin, to: last };
    floor = end;
  }
}

function startOfSegment(text: string, at: number, floor: number): number {
  let start = at;
  while (start > floor && !endsAuthority(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

/** Behind `//`, `:/` or a web scheme's colon; `to` where the `@` belongs to no authority (`/users/taro@example.com`). */
function startOfUserinfo(text: string, from: number, to: number): number {
  if (from >= 2 && isSlash(text.charCodeAt(from - 1)) && /[:/\\]/.test(text.charAt(from - 2))) return from;
  const scheme = /(?:https?|wss?|ftp):/i.exec(text.slice(from, to));
  return scheme === null ? to : from + scheme.index + scheme[0].length;
}

const authorityEnds = new Uint8Array(256);
for (const char of '/\\?#"\'<>') authorityEnds[char.charCodeAt(0)] = 1;

function endsAuthority(char: number): boolean {
  return isBlank(char) || authorityEnds[char] === 1;
}

function isSlash(char: number): boolean {
  return char === 0x2f || char === 0x5c;
}
