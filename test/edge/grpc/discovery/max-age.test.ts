import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { clusterType } from '../../../../src/control/xds/type-urls.ts';
import { eventually } from '../../../support/envoy.ts';
import { dial, discoveryRequest, envoyNode, openAds } from '../../../support/serve.ts';
import { sharedPki, startHouse } from '../fixture.ts';

const pki = await sharedPki();
const credentials = await pki.server();

test('a stream that has been open for long is ended with OK, so that its node comes back to whichever replica is there', async (t) => {
  const house = await startHouse(t, { credentials, limits: { maxAgeMs: 100 } });
  const ads = openAds(dial(t, house.to));
  ads.call.write(discoveryRequest({ node: envoyNode('egress-1'), type_url: clusterType }));
  await eventually('served', () => Promise.resolve(ads.received.length === 1));
  assert.equal((await ads.ended).code, status.OK);
});
