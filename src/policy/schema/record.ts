import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** `refusals:` of records. */
const refusals = z.strictObject({
  burst: z
    .int()
    .min(limits.refusalBurst.min)
    .max(limits.refusalBurst.max)
    .prefault(limits.refusalBurst.default)
    .meta({
      wants: 'integer',
      description: 'How many refusals of one client at one door for one reason are records, however fast they come.',
      examples: [100],
    }),
  rate: z
    .int()
    .min(limits.refusalRate.min)
    .max(limits.refusalRate.max)
    .prefault(limits.refusalRate.default)
    .meta({
      wants: 'integer',
      description: 'How many of them a minute are records besides. Those beyond are counted.',
      examples: [60],
    }),
  tally: field
    .text(field.durationWithin(limits.tallySeconds), {
      wants: 'duration of 1s to 10m',
      description:
        'How long they are counted, at most, before the count is on record. A sink that is killed loses as much.',
      examples: ['60s'],
    })
    .prefault('60s'),
});

/** `record:` */
export const recordSchema = z.strictObject({
  assurance: z
    .enum(['stream', 'receipt', 'gate'])
    .prefault('receipt')
    .meta({
      wants: 'stream, receipt or gate',
      description:
        "stream: Envoy's access log stream, without acknowledgement: a sink that is away loses records. receipt: besides, Envoy sends each entry until the sink has it on disk. gate: besides, nothing leaves an Envoy before it is on record; while no sink answers, nothing passes. See docs/assurance.md.",
      examples: ['gate'],
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
  refusals: refusals.prefault({}).meta({
    wants: 'map',
    description: 'Which refusals become records one by one, so that nobody who is refused fills the journal.',
    examples: [{ burst: 20, rate: 10 }],
  }),
});
