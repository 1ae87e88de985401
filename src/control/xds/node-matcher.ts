import type { ClientStatusRequest, StringMatch } from '../../wire/client-status.ts';

/** Whether a request means the node of that id. Source: envoy/type/matcher/v3/string.proto. */
export function nodeMatcher({ nodes }: ClientStatusRequest): (id: string) => boolean {
  const tests = nodes.map((match) => (match === 'any' ? () => true : stringTest(match)));
  return tests.length === 0 ? () => true : (id) => tests.some((test) => test(id));
}

function stringTest({ kind, text, ignoreCase }: StringMatch): (id: string) => boolean {
  const fold = (of: string): string => (ignoreCase ? of.toLowerCase() : of);
  const wanted = fold(text);
  switch (kind) {
    case 'exact':
      return (id) => fold(id) === wanted;
    case 'prefix':
      return (id) => fold(id).startsWith(wanted);
    case 'suffix':
      return (id) => fold(id).endsWith(wanted);
    case 'contains':
      return (id) => fold(id).includes(wanted);
  }
}
