import { DeltaStream, type DeltaStreamOptions } from '../../../src/control/xds/delta-stream.ts';
import type { XdsEvent } from '../../../src/control/xds/events.types.ts';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { shortType, type TypeUrl } from '../../../src/control/xds/type-urls.ts';
import type { SekishoError } from '../../../src/base/errors.ts';
import type { DeltaRequest } from '../../../src/wire/discovery.ts';
import { readResponse, request, snapshotOf, type Contents, type Received } from './model.ts';

/** One stream in the hands of a test: what goes in is called, what comes out is read as one line a response. */
export class Line {
  readonly events: XdsEvent[] = [];
  readonly publisher: Publisher;
  readonly stream: DeltaStream;
  /** Every Buffer that was sent. */
  readonly sent: Buffer[] = [];
  refused: SekishoError | undefined;
  full = false;
  #read = 0;
  readonly #last = new Map<TypeUrl, string>();

  constructor(options: Partial<DeltaStreamOptions> = {}) {
    this.publisher =
      options.publisher ?? new Publisher({ resolve: ({ id }) => (id === 'stranger' ? undefined : 'group') });
    this.stream = new DeltaStream({
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
      ...options,
    });
  }

  publish(contents: Contents): void {
    this.publisher.publish('group', snapshotOf(contents, this.publisher.current('group')));
  }

  ask(type: TypeUrl, fields: Partial<DeltaRequest> = {}): string[] {
    this.stream.receive(request(type, fields));
    return this.read();
  }

  /** Nonce of the newest response of a type that was read. */
  nonce(type: TypeUrl): string {
    return this.#last.get(type) ?? '';
  }

  /** Acknowledges the newest response of a type. */
  ack(type: TypeUrl): string[] {
    return this.ask(type, { nonce: this.nonce(type) });
  }

  nack(type: TypeUrl, message = 'bad'): string[] {
    return this.ask(type, { nonce: this.nonce(type), error: { code: 3, message } });
  }

  /** What came since the last reading: `Cluster +a +b -c`, names in the order of the response; `Cluster` alone is an empty response. */
  read(): string[] {
    const responses = this.sent.slice(this.#read).map(readResponse);
    this.#read = this.sent.length;
    for (const { typeUrl, nonce } of responses) this.#last.set(typeUrl, nonce);
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

function describe({ typeUrl, resources, removed }: Received): string {
  return [shortType(typeUrl), ...resources.map(({ name }) => `+${name}`), ...removed.map((name) => `-${name}`)].join(
    ' ',
  );
}
