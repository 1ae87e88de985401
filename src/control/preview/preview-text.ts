import { printable } from '../printable.ts';
import type { FieldChange } from './field-changes.ts';
import type { PreviewGroup, PreviewJson, ResourceChange } from './preview.ts';

/** A preview as lines for people: nodes, below them their resources, below these their fields. `-` is gone, `~` another one, `+` new. */
export function previewText({ changed, from, to, groups }: PreviewJson): string {
  if (!changed) return `no change: ${to.file} gives every node what it has\n`;
  const head = [
    `--- ${from.file} (SHA-256 ${from.sha256.slice(0, 16)}…)`,
    `+++ ${to.file} (SHA-256 ${to.sha256.slice(0, 16)}…)`,
  ];
  return [...head, ...groups.flatMap(groupLines)].map((line) => `${printable(line)}\n`).join('');
}

function groupLines({ nodes, fate, changes }: PreviewGroup): string[] {
  const who = nodes.join(', ');
  switch (fate) {
    case 'gone':
      return [`${who}: not in the policy any more; refused, and keeps what it has`];
    case 'new':
      return [`${who}: new`, ...changes.flatMap(resourceLines)];
    case 'stays':
      return [`${who}:`, ...changes.flatMap(resourceLines)];
  }
}

const signs = { added: '+', changed: '~', removed: '-' } as const;

function resourceLines({ act, type, name, issued, fields }: ResourceChange): string[] {
  const note = issued ? ` (a certificate is issued${act === 'changed' ? ' anew' : ''})` : '';
  return [`  ${signs[act]} ${type} ${name}${note}`, ...fields.map(fieldLine)];
}

function fieldLine(change: FieldChange): string {
  const { path } = change;
  if (!('new' in change)) return `      ${path}: - ${short(change.old)}`;
  if (!('old' in change)) return `      ${path}: + ${short(change.new)}`;
  return `      ${path}: ${short(change.old)} → ${short(change.new)}`;
}

/** As much of a value as tells what it is; `-o json` has all of it. */
const longestValue = 100;

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 1)}…`;
}
