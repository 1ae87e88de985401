import { SekishoError } from '../../base/errors.ts';
import type { Visitor } from './visitor.ts';

/** Who comes, and where to. The hosts must be among those of the policy, except the one that must not. */
export interface StoryFacts {
  /** `us-east-1.console.aws.amazon.com`. */
  readonly consoleHost: string;
  /** `signin.aws.amazon.com`. */
  readonly signInHost: string;
  /** A host that the policy does not list. */
  readonly refusedHost: string;
  /** Whom the cookie claims: `arn:aws:sts::123456789012:assumed-role/Admin/taro`. */
  readonly arn: string;
}

/** One step, in two lines for the screen; no secret stands in them. */
export interface StoryStep {
  readonly name: string;
  readonly sent: string;
  readonly answered: string;
  readonly asExpected: boolean;
}

/** What the visitor sends and no record may hold, besides what the stand-in hands out (`standInSecrets`). */
export const storySecrets = {
  password: 'story-password-4f1c',
  credentials: 'story-credentials-91be',
  state: 'story-state-7a30',
  challenge: 'story-challenge-c2d8',
} as const;

/** How many of the steps end at the door. */
export const refusalsInStory = 1;

/** A morning at the console, step by step. A step that fails says so and the next one is taken all the same. */
export async function demoStory(visitor: Visitor, facts: StoryFacts): Promise<StoryStep[]> {
  const steps: StoryStep[] = [];
  for (const { name, sent, play } of chapters(facts)) {
    const { answered, asExpected } = await play(visitor).catch((caught: unknown) => ({
      answered: SekishoError.from(caught).message,
      asExpected: false,
    }));
    steps.push({ name, sent, answered, asExpected });
  }
  return steps;
}

interface Chapter {
  readonly name: string;
  readonly sent: string;
  readonly play: (visitor: Visitor) => Promise<Pick<StoryStep, 'answered' | 'asExpected'>>;
}

function chapters({ consoleHost, signInHost, refusedHost, arn }: StoryFacts): readonly Chapter[] {
  const consoleUrl = `https://${consoleHost}`;
  const headers = { cookie: cookies(arn), 'user-agent': 'sekisho-demo' };
  return [
    {
      name: 'sign in',
      sent: `POST https://${signInHost}/signin with a password`,
      play: async (visitor) => {
        const url = `https://${signInHost}/signin`;
        const body = new URLSearchParams({ username: 'taro', password: storySecrets.password }).toString();
        const form = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'sekisho-demo' };
        const answer = await visitor.request({ method: 'POST', url, headers: form, body });
        const set = answer.headers['set-cookie']?.map((each) => each.split('=')[0]).sort() ?? [];
        return {
          answered: `${answer.status}, sets ${set.join(' and ')}`,
          asExpected: answer.status === 302 && set.join() === 'aws-creds,aws-userInfo',
        };
      },
    },
    {
      name: 'be sent back with a code',
      sent: `GET https://${signInHost}/oauth with a state and a code_challenge`,
      play: async (visitor) => {
        const query = new URLSearchParams({
          redirect_uri: `${consoleUrl}/console/home`,
          state: storySecrets.state,
          code_challenge: storySecrets.challenge,
        });
        const answer = await visitor.request({ url: `https://${signInHost}/oauth?${query.toString()}`, headers });
        const back = new URL(answer.headers.location ?? '/', consoleUrl);
        const carries = [...back.searchParams.keys()].sort().join(' and ');
        return {
          answered: `${answer.status} to ${back.origin}${back.pathname} with ${carries}`,
          asExpected: answer.status === 302 && back.host === consoleHost && carries === 'code and state',
        };
      },
    },
    {
      name: 'open the console',
      sent: `GET ${consoleUrl}/console/home as ${arn}`,
      play: async (visitor) => statusOf(await visitor.request({ url: `${consoleUrl}/console/home`, headers }), 200),
    },
    {
      name: 'call an API over HTTP/2',
      sent: `POST ${consoleUrl}/api/instances`,
      play: async (visitor) => {
        const asked = {
          method: 'POST',
          url: `${consoleUrl}/api/instances`,
          body: '{"maxResults":5}',
          http: 2,
        } as const;
        return statusOf(await visitor.request({ ...asked, headers }), 200);
      },
    },
    {
      name: 'try a host that is not listed',
      sent: `CONNECT ${refusedHost}:443`,
      play: async (visitor) => {
        const { connectStatus } = await visitor.request({ url: `https://${refusedHost}/`, headers });
        return { answered: `${String(connectStatus)} from the door`, asExpected: connectStatus === 403 };
      },
    },
    {
      name: 'talk to the shell',
      sent: `WebSocket wss://${consoleHost}/cloudshell/ws: whoami`,
      play: async (visitor) => {
        const visit = await visitor.webSocket(`wss://${consoleHost}/cloudshell/ws`, ['whoami'], headers);
        return {
          answered: `${visit.status}, echo ${JSON.stringify(visit.echoed.join(' '))}`,
          asExpected: visit.echoed.join() === 'whoami',
        };
      },
    },
  ];
}

/** What a browser carries after it signed in: the claimed principal, and the credentials themselves. */
function cookies(arn: string): string {
  const userInfo = encodeURIComponent(JSON.stringify({ arn, alias: '', issuer: 'stand-in', signinType: 'PUBLIC' }));
  return `aws-creds=${storySecrets.credentials}; aws-userInfo=${userInfo}`;
}

function statusOf(
  answer: { readonly status: number; readonly body: Buffer },
  expected: number,
): Pick<StoryStep, 'answered' | 'asExpected'> {
  return { answered: `${answer.status}, ${answer.body.length} bytes`, asExpected: answer.status === expected };
}
