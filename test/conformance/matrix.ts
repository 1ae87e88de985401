import { test } from 'node:test';
import type { ExplicitVersions } from '../../src/xds/index.ts';
import { Conversation, type Variant } from './conversation.ts';
import { kindNames, kinds, type Contents, type KindName } from './kinds.ts';
import type { Rig } from './rig.ts';

/** What a response says where the variants differ: all there is (LDS and CDS in the state of the world), what changed (other types there), what delta says. */
export interface Saying {
  readonly whole: readonly string[];
  readonly partial: readonly string[];
  readonly delta: readonly string[];
}

/** A node with one type of resource, and its streams, in one cell of the matrix. */
export class Story {
  readonly kind: KindName;
  readonly variant: Variant;
  readonly node: string;
  readonly rig: Rig;
  readonly #service: KindName | 'ADS';
  readonly #streams: Conversation[] = [];

  constructor(rig: Rig, cell: Cell, node: string) {
    this.rig = rig;
    this.kind = cell.kind;
    this.variant = cell.variant;
    this.node = node;
    this.#service = cell.aggregated ? 'ADS' : cell.kind;
  }

  get isAggregated(): boolean {
    return this.#service === 'ADS';
  }

  get isDelta(): boolean {
    return this.variant === 'delta';
  }

  /** Name → revision of the resources of the type that there shall be, once the server has heard what was said so far. */
  async publish(resources: Readonly<Record<string, number>>, versions?: ExplicitVersions): Promise<void> {
    await this.publishAll({ [this.kind]: resources }, versions);
  }

  /** The same of all types. */
  async publishAll(contents: Contents, versions?: ExplicitVersions): Promise<void> {
    for (const stream of this.#streams) await stream.heard();
    this.rig.publish(this.node, contents, versions);
  }

  open(rig: Rig = this.rig): Conversation {
    const stream = new Conversation(rig, { variant: this.variant, service: this.#service, node: this.node });
    this.#streams.push(stream);
    return stream;
  }

  /** Gives up all streams. */
  close(): void {
    for (const stream of this.#streams) stream.cancel();
  }

  /** The lines of this cell: `+A` stands for `CDS +A`, '' for an empty response. */
  says({ whole, partial, delta }: Saying): string[] {
    const said = this.isDelta ? delta : kinds[this.kind].root ? whole : partial;
    return said.map((line) => `${this.kind} ${line}`.trim());
  }

  /** The same where the variants agree. */
  lines(...said: string[]): string[] {
    return this.says({ whole: said, partial: said, delta: said });
  }
}

export interface Cell {
  readonly variant: Variant;
  readonly aggregated: boolean;
  readonly kind: KindName;
}

const all: readonly Cell[] = (['sotw', 'delta'] as const).flatMap((variant) =>
  [true, false].flatMap((aggregated) => kindNames.map((kind) => ({ variant, aggregated, kind }))),
);

export const everyCell = (): boolean => true;
export const rootTypes = ({ kind }: Cell): boolean => kinds[kind].root;
export const otherTypes = ({ kind }: Cell): boolean => !kinds[kind].root;
export const deltaOnly = ({ variant }: Cell): boolean => variant === 'delta';
export const sotwOnly = ({ variant }: Cell): boolean => variant === 'sotw';
export const onlyAggregated = ({ aggregated }: Cell): boolean => aggregated;
export const onlySeparate = ({ aggregated }: Cell): boolean => !aggregated;

let nodes = 0;

/** One sentence, tried in every cell of the matrix that it speaks of: {SotW, delta} × {ADS, the service of the type} × types. */
export function holds(
  rig: Rig,
  sentence: string,
  where: readonly ((cell: Cell) => boolean)[],
  tell: (story: Story) => Promise<void>,
): void {
  for (const cell of all.filter((one) => where.every((is) => is(one)))) {
    const { variant, aggregated, kind } = cell;
    test(`${variant} ${kind} over ${aggregated ? 'ADS' : 'its own service'}: ${sentence}`, async () => {
      const story = new Story(rig, cell, `node-${++nodes}`);
      await tell(story);
      story.close();
    });
  }
}
