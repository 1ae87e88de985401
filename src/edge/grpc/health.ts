import { status } from '@grpc/grpc-js';
import { bytesField, FieldReader } from '../../wire/protobuf.ts';
import { rawMethod } from '../../wire/raw-method.ts';
import type { Answer, UnaryCall, WritableCall } from './call.types.ts';
import type { GrpcService } from './grpc-service.types.ts';

export interface HealthService extends GrpcService {
  setServing(serving: boolean): void;
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const states = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/** grpc.health.v1.Health of the server as a whole, which has the empty name; NOT_SERVING until told otherwise. */
export function healthService(): HealthService {
  let state: number = states.notServing;
  const watching = new Set<WritableCall>();

  function check({ request }: UnaryCall, answer: Answer): void {
    const service = serviceIn(request);
    if (service === '') answer(null, response(state));
    else answer({ code: status.NOT_FOUND, details: `Health status unknown for service ${service.slice(0, 200)}` });
  }

  function list(_call: UnaryCall, answer: Answer): void {
    // The key of its one entry is empty, and what is empty is not written.
    answer(null, bytesField(1, bytesField(2, response(state))));
  }

  function watch(call: WritableCall): void {
    if (serviceIn(call.request) !== '') {
      call.write(response(states.serviceUnknown));
      return;
    }
    watching.add(call);
    call.on('cancelled', () => {
      watching.delete(call);
    });
    call.write(response(state));
  }

  return {
    definition: {
      Check: rawMethod('/grpc.health.v1.Health/Check', { requestStream: false, responseStream: false }),
      List: rawMethod('/grpc.health.v1.Health/List', { requestStream: false, responseStream: false }),
      Watch: rawMethod('/grpc.health.v1.Health/Watch', { requestStream: false, responseStream: true }),
    },
    implementation: { Check: check, List: list, Watch: watch },
    setServing: (serving) => {
      const next = serving ? states.serving : states.notServing;
      if (next === state) return;
      state = next;
      for (const call of watching) call.write(response(state));
    },
  };
}

/** HealthCheckRequest.service */
function serviceIn(request: Buffer): string {
  const reader = new FieldReader(request);
  let service = '';
  while (reader.next()) if (reader.is(1)) service = reader.string();
  return service;
}

/** HealthCheckResponse, whose one field is a number. */
function response(state: number): Buffer {
  return Buffer.from([0x08, state]);
}
