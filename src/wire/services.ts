import { SekishoError } from '../base/errors.ts';
import { envoyApi } from './envoy-api.ts';
import { rawMethod, type RawMethod } from './raw-method.ts';

/**
 * A gRPC service of Envoy's API, by its full name, with no (de)serialisation at all: what arrives is sliced, what leaves was built once
 * for everybody. The shape is that of a `ServiceDefinition` of grpc-js.
 */
export function rawService(name: string): Readonly<Record<string, RawMethod>> {
  const service = envoyApi().lookupService(name);
  if (service.methodsArray.length === 0) throw new SekishoError('internal', `${name} has no methods`);
  return Object.fromEntries(
    service.methodsArray.map((method) => [
      method.name,
      rawMethod(`/${name}/${method.name}`, {
        requestStream: method.requestStream ?? false,
        responseStream: method.responseStream ?? false,
      }),
    ]),
  );
}
