import { shownName } from '../../wire/shown-name.ts';
import { oldestEnvoy, versionFault } from './envoy-version.ts';
import type { Finding, TypeJson } from './fleet.types.ts';

/** What findings are made of. */
export interface NodeFacts {
  readonly id: string;
  readonly version: string | undefined;
  readonly connected: boolean;
  readonly everConnected: boolean;
  readonly types: readonly TypeJson[];
  /** Short names of types that were asked for and are not sent over this connection. */
  readonly withheld: readonly string[];
  /** Types that were asked for and that nobody here knows. */
  readonly unknown: readonly string[];
}

/** What a person should look at, most urgent first. */
export function findingsOf(facts: NodeFacts): Finding[] {
  if (!facts.everConnected) {
    return [
      finding('never-connected', `The policy names ${facts.id}, but it never came; start its Envoy with this node id.`),
    ];
  }
  return [...absence(facts), ...version(facts), ...refusals(facts), ...withheld(facts), ...unknown(facts)];
}

function absence({ connected }: NodeFacts): Finding[] {
  if (connected) return [];
  return [finding('disconnected', 'It has no stream open; it goes on with what it has until it comes back.')];
}

function version(facts: NodeFacts): Finding[] {
  const wanted = `${oldestEnvoy.major}.${oldestEnvoy.minor}`;
  switch (versionFault({ ...(facts.version !== undefined && { version: facts.version }) })) {
    case undefined:
      return [];
    case 'too-old':
      return [
        finding('version-too-old', `Envoy ${facts.version ?? ''} gets no listeners; install ${wanted} or newer.`),
      ];
    case 'untold':
      return [
        finding(
          'version-untold',
          `It does not tell its Envoy version and gets no listeners; ${wanted} or newer is needed.`,
        ),
      ];
  }
}

function refusals({ types }: NodeFacts): Finding[] {
  return types.flatMap(({ type, nack }) =>
    nack ? [finding('nack', `It refused ${type} of ${nack.version}: ${nack.text}`)] : [],
  );
}

function withheld(facts: NodeFacts): Finding[] {
  return facts.withheld.map((type) =>
    finding('secrets-withheld', `It asks for ${type} in plain text and gets none; give it a node certificate.`),
  );
}

function unknown(facts: NodeFacts): Finding[] {
  return facts.unknown.map((type) =>
    finding('unknown-type', `It asks for ${shownName(type).slice(0, 100)}, which is not served here.`),
  );
}

function finding(code: Finding['code'], text: string): Finding {
  return { code, text };
}
