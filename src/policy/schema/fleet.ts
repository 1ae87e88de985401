import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

const node = z.strictObject({
  id: field.text(field.readNodeId, {
    wants: 'DNS name',
    description: "The Envoy's node id, unique in the fleet. Its certificate carries it.",
    examples: ['egress-1'],
  }),
  address: field
    .text(field.readHost, {
      wants: 'host or address',
      description: 'Where people and Sekisho reach the node. PAC files name it.',
      examples: ['egress-1.corp.example'],
    })
    .optional(),
  source: field
    .text(field.readAddress, {
      wants: 'address',
      description: 'The local address from which the node dials AWS; of a family that `egress` has.',
      examples: ['10.0.0.5'],
    })
    .optional(),
});

const pattern = z.strictObject({
  match: field.text(field.readGlob, {
    wants: 'pattern',
    description: 'Node ids that may join, `*` for any characters. No other group may hold an id that fits.',
    examples: ['host-*'],
  }),
  max: z
    .int()
    .min(1)
    .max(limits.nodes)
    .meta({
      wants: 'integer',
      description: 'How many nodes may join, so that a wrong pattern does not admit the world.',
      examples: [500],
    }),
});

/** `fleet:` */
export const fleetSchema = z.strictObject({
  name: field.text(field.readLabel, {
    wants: 'DNS label',
    description: 'Name of the fleet and trust domain of its node certificates.',
    examples: ['tokyo'],
  }),
  egress: z
    .array(
      field.text(field.readEgress, {
        wants: 'CIDR or address',
        description: 'A public address.',
        examples: ['51.44.71.80/32'],
      }),
    )
    .min(1)
    .max(limits.egress)
    .meta({
      wants: 'list of CIDRs or addresses',
      description:
        'Public addresses that AWS sees the fleet under. Private, reserved and documentation ranges are refused, for AWS never sees them.',
      examples: [['51.44.71.80/32']],
    }),
  nodes: z
    .record(
      field.text(field.readLabel, { wants: 'DNS label', description: 'Name of a group.', examples: ['egress'] }),
      z.union([z.array(node).min(1).max(limits.nodes), pattern]).meta({
        wants: 'list of nodes, or match and max',
        description: 'One group of nodes that open the same doors.',
        examples: [[{ id: 'egress-1' }], { match: 'host-*', max: 500 }],
      }),
    )
    .meta({
      wants: 'map',
      description: `Groups of nodes, 1 to ${limits.groups}, of ${limits.nodes} nodes in all.`,
      examples: [{ egress: [{ id: 'egress-1' }] }],
    }),
});
