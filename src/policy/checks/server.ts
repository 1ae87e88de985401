import { type Draft, items } from '../draft.ts';
import { type Finding, finding, type Path } from '../problem.ts';
import { collides, isUnspecified, socketText } from '../socket-address.ts';

/** Addresses of Sekisho itself that do not go together. */
export function checkServer(draft: Draft): Finding[] {
  return [...takenAddresses(draft), ...unreachableGrpc(draft), ...repeatedGrpc(draft)];
}

function takenAddresses(draft: Draft): Finding[] {
  const { grpc, admin, public: open } = draft.server ?? {};
  const listeners = [
    { path: ['server', 'grpc', 'listen'] as Path, address: grpc?.listen },
    { path: ['server', 'admin'] as Path, address: admin },
    { path: ['server', 'public'] as Path, address: open },
  ];
  return listeners.flatMap(({ path, address }, position) => {
    if (address === undefined) return [];
    const earlier = listeners
      .slice(0, position)
      .find((other) => other.address !== undefined && collides(other.address, address, 'both-families'));
    if (earlier === undefined) return [];
    const message = `${socketText(address)} is server.${earlier.path.slice(1).join('.')}, too`;
    return [finding('overlap', path, message, 'take another port')];
  });
}

/** An Envoy that moves on from one that is down would find the same again. */
function repeatedGrpc(draft: Draft): Finding[] {
  const { address } = draft.server?.grpc ?? {};
  const named = items(address !== undefined && 'length' in address ? address : []);
  return named.flatMap(({ value, index }) => {
    const earlier = named.find((other) => other.index < index && socketText(other.value) === socketText(value));
    if (earlier === undefined) return [];
    const path = ['server', 'grpc', 'address', index];
    const message = `${socketText(value)} is named twice`;
    return [finding('overlap', path, message, 'name each control plane once')];
  });
}

/** Envoys cannot dial "any address". */
function unreachableGrpc(draft: Draft): Finding[] {
  const { listen, address } = draft.server?.grpc ?? {};
  if (listen === undefined || address !== undefined || !isUnspecified(listen)) return [];
  const message = `${socketText(listen)} does not say where Envoys reach it`;
  const remedy = `add server.grpc.address, such as sekisho.corp.example:${listen.port}`;
  return [finding('missing-key', ['server', 'grpc', 'listen'], message, remedy)];
}
