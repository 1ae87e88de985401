import type { DeltaRequest } from '../../wire/delta-discovery.ts';
import { isEmpty } from './difference.ts';
import { contentVersion, explicitVersion, resourcesOf, type Resource } from './snapshot.ts';
import type { Hearing } from './variant.types.ts';

/** The incremental variant: requests say what else is wanted or no more, responses what is new, changed or gone. */
export const delta: Hearing<DeltaRequest> = {
  name: 'delta',
  namesAbsent: true,
  // The nonce only tells which response is answered; what a request asks for holds in any case.
  isStale: () => false,

  hear({ subscribe, unsubscribe, initialVersions }, { subscription, holding }, now, isFirst) {
    if (!isFirst && subscribe.isEmpty && unsubscribe.isEmpty) return false;
    subscription.change(subscribe, unsubscribe, isFirst);
    const wants = (name: string): boolean => subscription.wants(name);
    if (!isFirst) {
      holding.keepWanted(wants);
    } else if (initialVersions.size > 0) {
      holding.begin(initialVersions, now, wants);
      // What a client brings along it has not forgotten; only what has changed since is due, as long as that is so.
      subscription.expectUnlessSame((name) => initialVersions.has(name));
      subscription.expect((name) => !initialVersions.has(name) || isChanged(now.get(name), initialVersions.get(name)));
    }
    return true;
  },

  say({ state, snapshot, difference, kept, isAwaited }, responses) {
    if (isEmpty(difference) && !isAwaited) return undefined;
    const { type } = state;
    const settled = explicitVersion(snapshot, type) ?? contentVersion(resourcesOf(snapshot, type));
    const version = kept.length > 0 ? `${settled}~` : settled;
    const { bytes, nonce } = responses.delta({ type, version, after: state.holding.lastNonce }, difference);
    return { bytes, nonce, version, whole: undefined };
  },
};

function isChanged(resource: Resource | undefined, version: string | undefined): boolean {
  return resource !== undefined && resource.version !== version;
}
