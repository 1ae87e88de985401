import { FleetStatus, type FleetLimits } from '../../../src/control/fleet/fleet-status.ts';
import type { NodeJson } from '../../../src/control/fleet/fleet.types.ts';
import type { StreamFacts, XdsEvent } from '../../../src/control/xds/events.types.ts';
import { FakeClock } from '../ca/ca-fixture.ts';

type StreamEvent = Extract<XdsEvent, StreamFacts>;
/** An event without whose it is. */
type Happening = StreamEvent extends infer Event
  ? Event extends StreamFacts
    ? Omit<Event, keyof StreamFacts>
    : never
  : never;

/** A fleet status and the streams that tell it. */
export class FleetStory {
  readonly clock = new FakeClock();
  readonly fleet: FleetStatus;
  #streams = 0;

  constructor(limits?: FleetLimits) {
    this.fleet = new FleetStatus({ clock: this.clock, ...(limits && { limits }) });
  }

  /** A node comes; what happens on its stream is told by the function that this gives. */
  connect(
    id: string,
    change: Partial<StreamFacts> & { version?: string | undefined } = {},
  ): (event: Happening) => void {
    const { version = '1.40.0', ...facts } = change;
    const stream: StreamFacts = {
      stream: ++this.#streams,
      node: { id, cluster: 'tokyo', agent: 'envoy', ...(version !== '' && { version }) },
      peer: `192.0.2.1:${this.#streams}`,
      identity: 'certificate',
      ...facts,
    };
    const tell = (event: Happening): void => {
      this.fleet.observe({ ...event, ...stream });
    };
    tell({ kind: 'connected' });
    return tell;
  }

  node(id: string): NodeJson {
    const found = this.fleet.snapshot().nodes.find((node) => node.id === id);
    if (!found) throw new Error(`no ${id}`);
    return found;
  }

  ids(): string[] {
    return this.fleet.snapshot().nodes.map(({ id }) => id);
  }

  findings(id: string): string[] {
    return this.node(id).findings.map(({ code }) => code);
  }
}
