import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawService } from '../../src/wire/services.ts';

test('a raw service hands over the very same bytes in both directions', () => {
  const method = rawService('envoy.service.accesslog.v3.AccessLogService')['StreamAccessLogs'];
  assert.ok(method);
  const bytes = Buffer.from([1, 2, 3]);
  assert.equal(method.requestDeserialize(bytes), bytes);
  assert.equal(method.responseSerialize(bytes), bytes);
  assert.deepEqual(
    [method.path, method.requestStream, method.responseStream],
    ['/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs', true, false],
  );
});

test('a service that nobody knows is an error', () => {
  assert.throws(() => rawService('envoy.service.nothing.v3.Nothing'));
});
