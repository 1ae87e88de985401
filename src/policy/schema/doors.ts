import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

/** One of `doors:` */
export const doorSchema = z.strictObject({
  name: field.text(field.readLabel, {
    wants: 'DNS label',
    description: 'Name of the door, unique in the policy; records carry it.',
    examples: ['office'],
  }),
  on: field.text(field.readLabel, {
    wants: 'group',
    description: 'The group of nodes that opens this door.',
    examples: ['egress'],
  }),
  kind: z.enum(['forward', 'reverse', 'sidecar']).meta({
    wants: 'forward, reverse or sidecar',
    description:
      'forward: an explicit proxy (CONNECT). reverse: split DNS leads the names of the console here. sidecar: nftables redirects to it on its own host.',
    examples: ['forward'],
  }),
  listen: field.text(field.readListen, {
    wants: 'ADDRESS:PORT',
    description: 'Where the nodes listen. Two doors of a group may not share a port on an address.',
    examples: ['127.0.0.1:3128'],
  }),
  from: z
    .array(
      field.text(field.readNetwork, {
        wants: 'CIDR or address',
        examples: ['10.0.0.0/8'],
        description: 'A network from which people may come.',
      }),
    )
    .max(limits.from)
    .prefault([])
    .meta({
      wants: 'list of CIDRs or addresses',
      description: 'Networks from which people may come; empty: any that reach the door.',
      examples: [['10.0.0.0/8']],
    }),
  inspect: z
    .enum(['full', 'tunnel'])
    .prefault('full')
    .meta({
      wants: 'full or tunnel',
      description:
        'full: TLS ends at Envoy under the console CA and every request is recorded. tunnel: nothing is decrypted; server name, bytes and client of each connection are recorded.',
      examples: ['full'],
    }),
  tls: z
    .boolean()
    .prefault(false)
    .meta({
      wants: 'boolean',
      description: 'Whether the proxy itself speaks TLS (an HTTPS proxy). Of a forward door only.',
      examples: [true],
    }),
  users: z
    .union([
      z.literal('none'),
      z.strictObject({
        certificate: field.text(field.readFileName, {
          wants: 'file',
          examples: ['office-ca.pem'],
          description:
            'PEM file of the authorities that sign the certificates of people. A forward door needs `tls: true`; any other has to inspect in full.',
        }),
      }),
      z.strictObject({
        basic: field.text(field.readFileName, {
          wants: 'file',
          examples: ['users'],
          description:
            'Users file of a forward door: names and hashed passwords, made with `sekisho users add`. Off loopback the door needs `tls: true`.',
        }),
      }),
    ])
    .meta({
      wants: 'none, certificate or basic',
      description: 'How people show who they are. Off loopback, `none` needs a `reason`.',
      examples: ['none', { certificate: 'office-ca.pem' }, { basic: 'users' }],
    }),
  reason: field
    .text(field.readReason, {
      wants: 'text',
      description: 'Why a door without users may stand off loopback.',
      examples: ['badge readers on floor 3'],
    })
    .optional(),
});
