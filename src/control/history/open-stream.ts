import type { NodeInfo } from '../../wire/node-info.ts';
import type { TypeUrl } from '../xds/type-urls.ts';

/**
 * One open stream. A node answers with the version of a type, which is that of its resources alone; what was published is a whole snapshot, and may
 * be another one by the time of the answer.
 */
export class OpenStream {
  readonly node: NodeInfo;
  /** The last response of each type. */
  readonly #sent = new Map<TypeUrl, { readonly version: string; readonly published: string }>();
  #target = '';

  constructor(node: NodeInfo) {
    this.node = node;
  }

  /** The stream shall have this snapshot from now on. */
  targeted(version: string): void {
    this.#target = version;
  }

  sent(type: TypeUrl, version: string): void {
    this.#sent.set(type, { version, published: this.#target });
  }

  /** The version of the snapshot of which a response was sent; of an older response than the last of its type it is the newest that can be told. */
  publishedAs(type: TypeUrl, version: string): string {
    const last = this.#sent.get(type);
    return last?.version === version ? last.published : this.#target;
  }
}
