import { createHash, X509Certificate } from 'node:crypto';
import type { SharedState } from '../state/shared-state.types.ts';
import type { Leaf } from './console-ca.ts';
import { lifeOf } from './expiry.ts';
import { leafText, readLeaf, type KeptLeaf, type LeafNames } from './leaf-file.ts';

/** The leaves of the doors as entries of the shared state, one for each set of names: whoever holds the lease issues them, and all serve the same bytes. */
export class LeafStore {
  readonly #state: SharedState;

  constructor(state: SharedState) {
    this.#state = state;
  }

  /** Whether this process issues. */
  get issues(): boolean {
    return this.#state.held;
  }

  /** Who issues, for people. */
  get issuer(): string {
    return this.#state.standing().holder?.name ?? 'nobody';
  }

  /** The leaf that was kept for these names; undefined where there is none under this root. */
  async find(names: LeafNames, root: X509Certificate): Promise<KeptLeaf | undefined> {
    const bytes = await this.#state.read(entryOf(names));
    return bytes && readLeaf(bytes.toString('utf8'), names, root);
  }

  /** Throws `lease_lost` where another process issues. */
  keep(names: LeafNames, leaf: Leaf): Promise<void> {
    return this.#state.write(entryOf(names), leafText(leaf));
  }

  drop(names: LeafNames): Promise<void> {
    return this.#state.remove(entryOf(names));
  }

  /** Removes leaves that are over: their names are those of an older policy. */
  async dropOver(now: number): Promise<void> {
    for (const entry of (await this.#state.entries()).filter((name) => leafEntry.test(name))) {
      const text = (await this.#state.read(entry))?.toString('utf8') ?? '';
      const [certificate] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text) ?? [];
      const over = certificate === undefined || lifeOf(new X509Certificate(certificate)).notAfter.getTime() <= now;
      if (over) await this.#state.remove(entry);
    }
  }

  /** Resolves after the next change of the state, or when the signal comes. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const watch = this.#state.watch(done);
      signal.addEventListener('abort', done);
      function done(): void {
        watch.close();
        signal.removeEventListener('abort', done);
        resolve();
      }
      if (signal.aborted) done();
    });
  }
}

const leafEntry = /^door-[0-9a-f]{32}\.pem$/;

function entryOf(names: LeafNames): string {
  const id = createHash('sha256')
    .update(JSON.stringify([names.hosts, names.addresses]))
    .digest('hex')
    .slice(0, 32);
  return `door-${id}.pem`;
}
