import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { startStandIn, type StandIn } from '../../../src/edge/demo/stand-in.ts';
import { standInSecrets } from '../../../src/edge/demo/sign-in-pages.ts';
import { demoStory, refusalsInStory, storySecrets } from '../../../src/edge/demo/story.ts';
import { visitor, type Visitor } from '../../../src/edge/demo/visitor.ts';
import { handMadeProxy, type ProxyBehaviour } from './hand-made-proxy.ts';
import { testCertificates } from './test-certificates.ts';

const facts = {
  consoleHost: 'console.aws.amazon.com',
  signInHost: 'signin.aws.amazon.com',
  refusedHost: 'files.example.com',
  arn: 'arn:aws:sts::123456789012:assumed-role/Admin/taro',
};
const onTheList = (target: string) => (target.startsWith('files.') ? { status: 403, body: 'no' } : undefined);

it('goes as it should where the proxy refuses what is not listed, and tells the screen no secret', async (t) => {
  const { person, standIn } = await house(t, { refuses: onTheList });
  const steps = await demoStory(person, facts);
  assert.deepEqual(steps.filter((step) => !step.asExpected), []); // prettier-ignore
  assert.equal(standIn.requests.length, steps.length - refusalsInStory);
  const screen = JSON.stringify(steps);
  for (const secret of [...Object.values(storySecrets), ...Object.values(standInSecrets)]) {
    assert.ok(!screen.includes(secret), secret);
  }
  const arrived = JSON.stringify(standIn.requests);
  for (const secret of ['credentials', 'state', 'challenge'] as const) {
    assert.ok(arrived.includes(storySecrets[secret]), `${secret} was really sent`);
  }
});

it('says which step did not go as it should, and takes the others', async (t) => {
  const { person } = await house(t, {});
  const steps = await demoStory(person, facts);
  // The stand-in has no certificate for that host: nobody refused, and nobody answered.
  assert.deepEqual(steps.filter((step) => !step.asExpected).map(({ name }) => name), ['try a host that is not listed']); // prettier-ignore
});

it('goes on to its end where nothing answers', async (t) => {
  const { person } = await house(t, { leadsTo: 1 });
  const steps = await demoStory(person, facts);
  assert.ok(steps.length > 5 && steps.every((step) => !step.asExpected));
});

it('is not content with a proxy that refuses everything', async (t) => {
  const { person, standIn } = await house(t, { refuses: () => ({ status: 403, body: 'no' }) });
  const steps = await demoStory(person, facts);
  assert.deepEqual(steps.filter((step) => step.asExpected).map(({ name }) => name), ['try a host that is not listed']); // prettier-ignore
  assert.equal(standIn.requests.length, 0);
});

async function house(t: TestContext, behaviour: ProxyBehaviour): Promise<{ person: Visitor; standIn: StandIn }> {
  const certificate = testCertificates();
  const standIn = await startStandIn({ certificate, host: '127.0.0.1', port: 0 });
  const proxy = await handMadeProxy({ leadsTo: standIn.port, ...behaviour });
  const person = visitor({ proxy: { host: '127.0.0.1', port: proxy.port }, consoleCa: certificate.ca });
  t.after(async () => {
    await person.close();
    await proxy.close();
    await standIn.close();
  });
  return { person, standIn };
}
