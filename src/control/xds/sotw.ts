import type { SotwRequest } from '../../wire/sotw-discovery.ts';
import { isEmpty, type Held } from './difference.ts';
import type { NextResponse } from './type-state.types.ts';
import { contentVersion, explicitVersion, type Resource, type ResourceMap } from './snapshot.ts';
import { isFamiliar, isRootType } from './type-urls.ts';
import type { Hearing } from './variant.types.ts';

/** The state-of-the-world variant: every request lists all that is wanted; a response shows all there is of a root type, and of others what changed. */
export const sotw: Hearing<SotwRequest> = {
  name: 'sotw',
  namesAbsent: false,
  isStale: ({ nonce }, { holding }) => holding.lastNonce !== '' && nonce !== holding.lastNonce,

  hear({ names, version }, state, _now, isFirst) {
    const { subscription, holding } = state;
    const isOther = subscription.replace(names, isFirst);
    if (isFirst) state.claimed = version;
    else if (isOther) holding.keepWanted((name) => subscription.wants(name));
    return isFirst || isOther;
  },

  say(next, responses) {
    const { type, holding } = next.state;
    if (!isWorthSaying(next)) return undefined;
    const held = holding.frozen();
    const version = versionOf(next, held);
    const heading = { type, version, after: holding.lastNonce };
    const whole = isRootType(type);
    const { bytes, nonce } = whole
      ? responses.sotw(heading, held, () => contentOf(held, next.to))
      : responses.sotw(heading, next.difference, () => next.difference.changed);
    return { bytes, nonce, version, whole: whole ? held : undefined };
  },
};

/** That something is gone can only be said of root types, and only to who takes everything can it be said that there is nothing. */
function isWorthSaying({ state: { type }, snapshot, difference, isAwaited }: NextResponse): boolean {
  if (isAwaited) return isFamiliar(type) || snapshot.types.has(type);
  return isRootType(type) ? !isEmpty(difference) : difference.changed.length > 0;
}

/**
 * Hashes speak of what this very client holds once it has taken the response in, so that the version it shows on its next stream says what
 * it has, whatever it asked for.
 */
function versionOf({ state: { type }, snapshot, to, kept }: NextResponse, held: Held): string {
  const explicit = explicitVersion(snapshot, type);
  if (kept.length > 0) return `${explicit ?? contentVersion(to)}~`;
  return explicit ?? contentVersion(held);
}

/** What the client made of what it refused is not known; it is sent what shall be, or what it had before. */
function contentOf(held: Held, now: ResourceMap): readonly Resource[] {
  return [...held].flatMap(([name, resource]) => {
    const known = 'bytes' in resource ? resource : (now.get(name) ?? resource.good);
    return known ? [known] : [];
  });
}
