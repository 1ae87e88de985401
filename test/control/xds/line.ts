import type { SekishoError } from '../../../src/base/errors.ts';
import { delta } from '../../../src/control/xds/delta.ts';
import type { XdsEvent } from '../../../src/control/xds/events.types.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import type { ExplicitVersions } from '../../../src/control/xds/snapshot.ts';
import { sotw } from '../../../src/control/xds/sotw.ts';
import { XdsStream } from '../../../src/control/xds/stream.ts';
import type { StreamOptions } from '../../../src/control/xds/stream.types.ts';
import { shortType, type TypeUrl } from '../../../src/control/xds/type-urls.ts';
import type { AnyRequest } from '../../../src/control/xds/variant.types.ts';
import { readResponse, request, snapshotOf, sotwRequest, type Contents, type Received, type Wish } from './model.ts';

/** One stream in the hands of a test: what goes in is called, what comes out is read as one line a response. */
export class Line {
  readonly events: XdsEvent[] = [];
  readonly publisher: Publisher;
  readonly variant: 'delta' | 'sotw';
  /** Every Buffer that was sent. */
  readonly sent: Buffer[] = [];
  refused: SekishoError | undefined;
  full = false;
  readonly #stream: VariantStream;
  #read = 0;
  readonly #last = new Map<TypeUrl, Received>();
  readonly #names = new Map<TypeUrl, readonly string[]>();

  constructor(options: Partial<StreamOptions> & { readonly variant?: 'delta' | 'sotw' } = {}) {
    const { variant = 'delta', ...rest } = options;
    this.variant = variant;
    this.publisher =
      options.publisher ?? new Publisher({ resolve: ({ id }) => (id === 'stranger' ? undefined : 'group') });
    const all: StreamOptions = {
      publisher: this.publisher,
      peer: '127.0.0.1:1',
      identity: 'certificate',
      transport: {
        send: (bytes) => {
          this.sent.push(bytes);
          return !this.full;
        },
        refuse: (error) => {
          this.refused = error;
        },
      },
      observe: (event) => this.events.push(event),
      ...rest,
    };
    this.#stream = openVariant(variant, all);
  }

  publish(contents: Contents, versions?: ExplicitVersions): void {
    this.publisher.publish('group', snapshotOf(contents, this.publisher.current('group'), versions));
  }

  /** Sends a request; in the state-of-the-world variant its names hold until others are given. */
  ask(type: TypeUrl, wish: Wish = {}): string[] {
    if (wish.names) this.#names.set(type, wish.names);
    this.#stream.receive(type, { names: this.#names.get(type) ?? [], ...wish });
    return this.read();
  }

  drained(): void {
    this.#stream.drained();
  }

  end(): void {
    this.#stream.end();
  }

  /** Nonce of the newest response of a type that was read. */
  nonce(type: TypeUrl): string {
    return this.#last.get(type)?.nonce ?? '';
  }

  /** The version that the newest response of a type showed. */
  version(type: TypeUrl): string {
    return this.#last.get(type)?.systemVersion ?? '';
  }

  /** Acknowledges the newest response of a type. */
  ack(type: TypeUrl, wish: Wish = {}): string[] {
    return this.ask(type, { nonce: this.nonce(type), version: this.version(type), ...wish });
  }

  nack(type: TypeUrl, message = 'bad'): string[] {
    return this.ask(type, { nonce: this.nonce(type), error: { code: 3, message } });
  }

  /** What came since the last reading: `Cluster +a +b -c`, names in the order of the response; `Cluster` alone is an empty response. */
  read(): string[] {
    const responses = this.sent.slice(this.#read).map((bytes) => readResponse(bytes, this.variant));
    this.#read = this.sent.length;
    for (const response of responses) this.#last.set(response.typeUrl, response);
    return responses.map(describe);
  }

  /** Reads and acknowledges until nothing comes. */
  acknowledgeAll(): string[] {
    const lines = this.read();
    for (let before = -1; before < lines.length;) {
      before = lines.length;
      for (const type of [...this.#last.keys()]) lines.push(...this.ack(type));
    }
    return lines;
  }
}

/** A stream of either variant. */
export interface VariantStream {
  receive(type: TypeUrl, wish: Wish): void;
  drained(): void;
  end(): void;
}

export function openVariant(variant: 'delta' | 'sotw', options: StreamOptions): VariantStream {
  return variant === 'delta'
    ? hearing(new XdsStream(delta, options), request)
    : hearing(new XdsStream(sotw, options), sotwRequest);
}

function hearing<Request extends AnyRequest>(
  stream: XdsStream<Request>,
  write: (type: TypeUrl, wish: Wish) => Request,
): VariantStream {
  return {
    receive: (type, wish) => {
      stream.receive(write(type, wish));
    },
    drained: () => {
      stream.drained();
    },
    end: () => {
      stream.end();
    },
  };
}

function describe({ typeUrl, resources, removed }: Received): string {
  return [shortType(typeUrl), ...resources.map(({ name }) => `+${name}`), ...removed.map((name) => `-${name}`)].join(
    ' ',
  );
}
