import { SekishoError } from '../../base/errors.ts';
import { bootstrap as bootstrapOf } from '../../control/resources/bootstrap.ts';
import { memberOf } from '../../policy/membership.ts';
import { answer, aside, asYamlOrJson, exitCodes } from './print.ts';
import { policyOrProblems } from './read-policy.ts';

/** `sekisho bootstrap`: what an Envoy is started with. */
export async function bootstrap(options: {
  readonly node: string;
  readonly config: string;
  readonly output: string;
  readonly nodePki: string;
  readonly envoyAdmin: string;
}): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  if (!memberOf(policy, options.node)) throw strangeNode(options.node, options.config);
  const admin = addressOf(options.envoyAdmin);
  answer(asYamlOrJson(bootstrapOf(policy, options.node, { pki: options.nodePki, admin }), options.output));
  return exitCodes.good;
}

export function strangeNode(node: string, config: string): SekishoError {
  return new SekishoError('node_unknown', `${config} knows no node ${node} — name it under fleet.nodes`, {
    facts: { node },
  });
}

function addressOf(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535) {
    throw new SekishoError('usage', `${text} is no address — write HOST:PORT, such as 127.0.0.1:9901`);
  }
  return { host, port: Number(port) };
}
