import assert from 'node:assert/strict';
import type { Publisher } from '../../../src/control/xds/publisher.ts';
import type { ResourceState } from '../../../src/control/xds/stream-state.ts';

function rows(publisher: Publisher): ResourceState[] {
  return publisher.streams.flatMap((stream) => [...stream.resources()]);
}

/** What holds of the states of a stream at any moment. */
export function assertCoherent(publisher: Publisher): void {
  for (const row of rows(publisher)) {
    const { client, config, refusal, resource, version } = row;
    const said = JSON.stringify({ ...row, resource: resource?.version });
    assert.equal(refusal !== undefined, client === 'NACKED', `a refusal has its reason: ${said}`);
    if (config === 'SYNCED') assert.ok(client === 'ACKED' || client === 'DOES_NOT_EXIST', said);
    if (config === 'ERROR') assert.equal(client, 'NACKED', said);
    if (client === 'REQUESTED' || client === 'DOES_NOT_EXIST') assert.equal(resource ?? version, '', said);
    if (resource) assert.notEqual(version, '', said);
  }
}

/** What holds when a client has acknowledged everything. */
export function assertInStep(publisher: Publisher): void {
  const states = rows(publisher).map(({ client, config }) => `${client} ${config}`);
  assert.deepEqual(
    states.filter((state) => state !== 'ACKED SYNCED' && !state.startsWith('DOES_NOT_EXIST')),
    [],
  );
}
