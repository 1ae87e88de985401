import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** `rollout:` */
export const rolloutSchema = z.strictObject({
  canary: z
    .union([
      z
        .array(field.text(field.readNodeId, { wants: 'node id', description: 'A node.', examples: ['egress-1'] }))
        .min(1),
      field.text(field.readShare, { wants: 'share', description: 'A share of each group.', examples: ['10%'] }),
    ])
    .meta({
      wants: 'list of node ids, or a share',
      description:
        'The nodes that get a change first: by name, or a share of 1% to 99% of each group, of a group of named nodes at least one; which, the hash of the node id decides.',
      examples: [['egress-1'], '10%'],
    }),
  soak: field
    .text(field.durationWithin(limits.soakSeconds), {
      wants: 'duration of 1s to 7d',
      description: 'How long a change stays with the canary nodes, in good health, before all others get it.',
      examples: ['60s'],
    })
    .prefault('60s'),
});
