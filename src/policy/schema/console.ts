import * as z from 'zod';
import { partitions } from '../../aws/host-data.ts';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** `console:` */
export const consoleSchema = z.strictObject({
  partitions: z
    .array(z.enum(partitions.map((partition) => partition.name)))
    .min(1)
    .prefault(['aws'])
    .meta({ wants: 'list of partitions', description: 'AWS partitions whose consoles are used.', examples: [['aws']] }),
  regions: z
    .array(
      z.enum(partitions.flatMap((partition) => partition.regions)).meta({
        otherwise: 'a region newer than src/aws/console-hosts.json is reached by naming its hosts in console.also',
      }),
    )
    .min(1)
    .meta({
      wants: 'list of regions',
      description:
        'Regions whose consoles are used. The home region of a partition (us-east-1) is always among them. Each adds six names to the leaf certificate.',
      examples: [['us-east-1', 'ap-northeast-1']],
    }),
  also: z
    .array(
      field.text(field.readPattern, {
        wants: 'host or *.HOST',
        description: 'A host; `*` stands for one label.',
        examples: ['example.awsapps.com'],
      }),
    )
    .max(limits.also)
    .prefault([])
    .meta({
      wants: 'list of hosts',
      description:
        'Further hosts to let through and record, see docs/console-hosts.md. Each is a name in the leaf certificate, which every handshake carries.',
      examples: [['example.awsapps.com', '*.cloudfront.net']],
    }),
  resolvers: z
    .array(
      field.text(field.readResolver, { wants: 'ADDRESS[:PORT]', description: 'A DNS server.', examples: ['10.0.0.2'] }),
    )
    .max(limits.resolvers)
    .prefault([])
    .meta({
      wants: 'list of ADDRESS[:PORT]',
      description:
        "DNS servers that Envoy asks for AWS's addresses, port 53 by default; empty: those of the Envoy's host.",
      examples: [['10.0.0.2']],
    }),
  pins: z
    .record(
      field.text(field.readPattern, {
        wants: 'host or *.HOST',
        description: 'An admitted host.',
        examples: ['console.aws.amazon.com'],
      }),
      z
        .array(
          field.text(field.readEndpoint, {
            wants: 'ADDRESS[:PORT]',
            description: 'An address of the host.',
            examples: ['10.1.2.3'],
          }),
        )
        .min(1)
        .max(limits.endpoints)
        .meta({
          wants: 'list of ADDRESS[:PORT]',
          description: 'Where the host is reached, port 443 by default. Never a door of this policy.',
          examples: [['10.1.2.3', '10.1.2.4:8443']],
        }),
    )
    .prefault({})
    .meta({
      wants: 'map',
      description: `Hosts whose addresses the policy gives itself, such as those of VPC endpoints; at most ${limits.pins}.`,
      examples: [{ 'console.aws.amazon.com': ['10.1.2.3'] }],
    }),
  trust: field
    .text(field.readFileName, {
      wants: 'file',
      description: "PEM bundle that AWS's certificates must chain to. Default: the bundle of the Envoy's host.",
      examples: ['aws-roots.pem'],
    })
    .optional(),
});
