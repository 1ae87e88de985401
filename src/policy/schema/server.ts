import * as z from 'zod';
import * as field from '../fields.ts';
import { limits } from '../limits.ts';

const reached = field.text(field.readHostSocket, {
  wants: 'HOST:PORT',
  description: 'Where the Envoys reach a control plane.',
  examples: ['sekisho.corp.example:18000'],
});

/** `server:` */
export const serverSchema = z.strictObject({
  grpc: z
    .strictObject({
      listen: field
        .text(field.readListen, {
          wants: 'ADDRESS:PORT',
          description: 'Where Envoys find xDS and the access log service, and readers the records. Always mTLS.',
          examples: ['0.0.0.0:18000'],
        })
        .prefault('127.0.0.1:18000'),
      address: z
        .union([reached, z.array(reached).min(1).max(limits.controlPlanes)])
        .meta({
          wants: 'HOST:PORT, or list of them',
          description:
            'Where the Envoys reach it, and the other control planes of the fleet. Default: `listen`, if that is one address.',
          examples: ['sekisho.corp.example:18000'],
        })
        .optional(),
    })
    .prefault({})
    .meta({ wants: 'map', description: 'For Envoys.', examples: [{ listen: '127.0.0.1:18000' }] }),
  admin: field
    .text(field.readListen, {
      wants: 'ADDRESS:PORT',
      description: 'Health, metrics, fleet. On loopback, for it asks nobody who they are.',
      examples: ['127.0.0.1:18080'],
    })
    .prefault('127.0.0.1:18080'),
  public: field
    .text(field.readListen, {
      wants: 'ADDRESS:PORT',
      description: 'PAC file and CA certificates, for everybody.',
      examples: ['0.0.0.0:18081'],
    })
    .prefault('127.0.0.1:18081'),
});
