import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** `record:` */
export const recordSchema = z.strictObject({
  assurance: z.literal('stream').meta({
    wants: 'stream',
    description: "stream: Envoy's access log stream, without acknowledgement: a sink that is away loses records.",
    examples: ['stream'],
  }),
  redact: z
    .strictObject({
      query: z
        .array(
          field.text(field.readParameter, {
            wants: 'text',
            description: 'Name of a query parameter, in any letter case.',
            examples: ['code'],
          }),
        )
        .max(limits.redact)
        .prefault([])
        .meta({
          wants: 'list of names',
          description: 'Query parameters whose values are withheld besides the built-in ones.',
          examples: [['code', 'token']],
        }),
    })
    .prefault({})
    .meta({ wants: 'map', description: 'What never reaches the disk.', examples: [{ query: ['code', 'token'] }] }),
  periodic: field
    .text(field.durationWithin(limits.periodicSeconds), {
      wants: 'duration of 1s to 1h',
      description:
        'How often a connection that a door with `inspect: tunnel` passes on is put on record again while it lasts. Envoy ends those that are open at a change, after its drain time of 10 minutes.',
      examples: ['10s'],
    })
    .prefault('60s'),
});
