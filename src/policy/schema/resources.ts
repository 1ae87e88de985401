import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

const pattern = field.text(field.readFilePattern, {
  wants: 'file or pattern',
  description:
    "YAML files of Envoy resources, relative to the policy's folder; `*` stands for any characters of a name.",
  examples: ['extra/*.yaml'],
});

const entry = z.strictObject({
  files: z
    .array(pattern)
    .min(1)
    .max(limits.resourceFiles)
    .meta({
      wants: 'list of files or patterns',
      description: 'YAML files of Envoy resources. No file may be named by two entries.',
      examples: [['extra/*.yaml']],
    }),
  on: field
    .text(field.readLabel, {
      wants: 'group',
      description: 'The group of nodes that gets them; absent: each.',
      examples: ['egress'],
    })
    .optional(),
  unrecorded: field
    .text(field.readReason, {
      wants: 'text',
      description: "Why the listeners in these files leave no record. Without it each gets Sekisho's access loggers.",
      examples: ['health checks of the load balancer'],
    })
    .optional(),
});

/** `resources:` */
export const resourcesSchema = z
  .array(
    z.union([pattern, entry]).meta({
      wants: 'file, pattern, or map with files',
      description: "Files of Envoy resources of the user's own.",
      examples: ['extra/*.yaml'],
    }),
  )
  .max(limits.resourceEntries)
  .prefault([])
  .meta({
    wants: 'list',
    description: 'Envoy resources of your own, beside those that Sekisho makes; see the section about them.',
    examples: [['extra/*.yaml']],
  });
