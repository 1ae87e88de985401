import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameRecord } from '../../../src/sink/record/name.ts';
import type { SocketPeer, StoredRecord } from '../../../src/sink/record/stored-record.types.ts';

const there: SocketPeer = { address: '203.0.113.10', port: 443 };

/** What the tag `original` says, what Envoy dialled → address, port and finding on record. */
const cases: Readonly<Record<string, readonly [string | undefined, SocketPeer | undefined, readonly unknown[]]>> = {
  'the address that Envoy dialled, too': ['203.0.113.10:443', there, ['203.0.113.10', 443, undefined]],
  'another address than Envoy': ['198.51.100.66:443', there, ['198.51.100.66', 443, 'other_destination']],
  'the same address on the port of a pin': [
    '203.0.113.10:443',
    { ...there, port: 8443 },
    ['203.0.113.10', 443, undefined],
  ],
  'IPv6 where Envoy went by IPv4': ['[2001:db8::10]:443', there, ['2001:db8::10', 443, 'other_destination']],
  'something, and Envoy nothing': ['198.51.100.66:443', undefined, ['198.51.100.66', 443, undefined]],
  'something at a door of another kind': [undefined, there, [undefined, undefined, undefined]],
  'what Envoy does not know': ['-', there, [undefined, undefined, undefined]],
};

for (const [name, [original, upstream, expected]] of Object.entries(cases)) {
  test(`where the client dialled ${name}, the record says so`, () => {
    const named = nameRecord(record(original, upstream), 0);
    assert.deepEqual(
      ['sekisho.original.address', 'sekisho.original.port', 'sekisho.finding'].map((column) => named[column]),
      expected,
    );
    assert.equal(named['sekisho.tag.original'], undefined);
  });
}

function record(original: string | undefined, upstreamRemote: SocketPeer | undefined): StoredRecord {
  return {
    node: 'host-1',
    log: 'hosts/tcp',
    kind: 'tcp',
    identity: 'certificate',
    received: 0n,
    redactions: [],
    truncated: false,
    entry: {
      common: {
        ...(original !== undefined && { tags: new Map([['original', original]]) }),
        ...(upstreamRemote && { upstreamRemote }),
      },
    },
  };
}
