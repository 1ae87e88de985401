import * as z from 'zod';
import { limits } from './limits.ts';
import { consoleSchema } from './schema/console.ts';
import { doorSchema } from './schema/doors.ts';
import { fleetSchema } from './schema/fleet.ts';
import { outputSchema } from './schema/outputs.ts';
import { recordSchema } from './schema/record.ts';
import { resourcesSchema } from './schema/resources.ts';
import { rolloutSchema } from './schema/rollout.ts';
import { serverSchema } from './schema/server.ts';

/**
 * The shape of sekisho.yaml: types, defaults, bounds and their reasons. What needs two places of the file at once is in
 * checks/, what is designed but not built in unbuilt.ts. Editors get it as sekisho.schema.json, people as docs/policy.md.
 */
export const policySchema = z.strictObject({
  fleet: fleetSchema.meta({ wants: 'map', description: 'The Envoys.', examples: [] }),
  doors: z
    .array(doorSchema)
    .min(1)
    .max(limits.doors)
    .meta({ wants: 'list', description: 'Listeners through which people enter.', examples: [] }),
  console: consoleSchema.meta({ wants: 'map', description: 'What people may reach.', examples: [] }),
  record: recordSchema.prefault({}).meta({
    wants: 'map',
    description: 'How records are kept.',
    examples: [{ assurance: 'receipt' }],
  }),
  outputs: z
    .array(outputSchema)
    .max(limits.outputs)
    .prefault([])
    .meta({
      wants: 'list',
      description: 'Where records go besides the journal, see docs/outputs.md.',
      examples: [[{ kind: 'jsonl', dir: '/var/log/sekisho' }]],
    }),
  resources: resourcesSchema,
  rollout: rolloutSchema
    .meta({
      wants: 'map',
      description: 'How a change reaches the nodes, see docs/operations.md; without it, all of them at once.',
      examples: [{ canary: ['egress-1'], soak: '60s' }],
    })
    .optional(),
  server: serverSchema.prefault({}).meta({ wants: 'map', description: 'Where Sekisho itself listens.', examples: [] }),
});

export type PolicyInput = z.output<typeof policySchema>;
