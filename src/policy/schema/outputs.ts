import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** `rotate:` of files. */
const rotate = z.strictObject({
  bytes: z
    .int()
    .min(limits.rotateBytes.min)
    .max(limits.rotateBytes.max)
    .prefault(limits.rotateBytes.default)
    .meta({
      wants: 'integer',
      description: 'A file is rotated before the batch of lines that would make it larger.',
      examples: [104_857_600],
    }),
  age: field
    .text(field.durationWithin(limits.rotateSeconds), {
      wants: 'duration of 10s to 30d',
      description: 'A file is rotated when its first line is as old as this.',
      examples: ['1h'],
    })
    .prefault('1h'),
});

/** One of `outputs:` */
export const outputSchema = z.strictObject({
  kind: z.enum(['jsonl']).meta({
    wants: 'jsonl',
    description: 'jsonl: files of one named record per line, as JSON.',
    examples: ['jsonl'],
  }),
  dir: field.text(field.readFileName, {
    wants: 'folder',
    description: "Where the files go, relative to the policy's folder; made if missing. Of one output only.",
    examples: ['/var/log/sekisho'],
  }),
  rotate: rotate.prefault({}).meta({
    wants: 'map',
    description: 'When a file gets its final name.',
    examples: [{ bytes: 104_857_600, age: '1h' }],
  }),
});
