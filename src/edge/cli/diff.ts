import { consoleHosts } from '../../aws/hosts.ts';
import { caFacts } from '../../control/door-names.ts';
import { preview, uncoveredNames } from '../../control/preview/preview.ts';
import { previewText } from '../../control/preview/preview-text.ts';
import { wouldPublish, type PublishedJson } from '../../control/preview/published.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { askService } from './ask-service.ts';
import { strangeNode } from './bootstrap.ts';
import { answer, aside, exitCodes } from './print.ts';
import { policyOrProblems } from './read-policy.ts';

/**
 * `sekisho diff`: what the policy file would send to the nodes that they do not have: against the running service, or against another file. Exit 1
 * when there is something, as diff(1).
 */
export async function diff(options: {
  readonly config: string;
  readonly against?: string;
  readonly node?: string;
  readonly admin: string;
  readonly output: string;
}): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  const from = await published(options);
  if (!from) return exitCodes.badNews;
  const { hosts, addresses } = caFacts(policy, consoleHosts(policy.console).admitted);
  const uncovered = uncoveredNames(from, hosts, addresses);
  const found = preview(from, wouldBe(policy), uncovered, options.node);
  if (!found) throw strangeNode(options.node ?? '', options.config);
  answer(options.output === 'json' ? JSON.stringify(found, null, 2) : previewText(found));
  if (uncovered.length > 0) {
    aside(
      `! the running service would refuse this policy: its console intermediate does not cover ${uncovered.join(', ')} — ` +
        'run sekisho ca init with this policy where the offline folder is',
    );
  }
  return found.changed || uncovered.length > 0 ? exitCodes.badNews : exitCodes.good;
}

async function published(options: {
  readonly against?: string;
  readonly admin: string;
}): Promise<PublishedJson | undefined> {
  if (options.against === undefined) return askService<PublishedJson>(options.admin, '/published');
  const policy = await policyOrProblems(options.against, aside);
  return policy && wouldBe(policy);
}

function wouldBe(policy: Policy): PublishedJson {
  return wouldPublish(policy, consoleHosts(policy.console).admitted);
}
