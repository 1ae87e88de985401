import type { Draw } from '../base/faulty-disk.ts';
import type { Body, Contents } from '../control/xds/model.ts';

const clusterNames = 24;
const doorNames = 8;

/** What one group of nodes shall have, and how it changes at random: all that a change leaves refers to something that is there. */
export class RandomChanges {
  readonly #draw: Draw;
  #revision = 0;
  /** Cluster → revision of it and of its endpoints. */
  readonly #clusters = new Map<string, { own: number; endpoints: number }>();
  /** Listener, which has a route configuration of the same name → where that leads, and revisions. */
  readonly #doors = new Map<string, { to: string[]; own: number; route: number }>();

  constructor(draw: Draw) {
    this.#draw = draw;
    for (let at = 0; at < clusterNames / 2; at += 1) this.#clusters.set(`c${at}`, { own: 0, endpoints: 0 });
    for (let at = 0; at < doorNames / 2; at += 1) this.#doors.set(`d${at}`, { to: [`c${at}`], own: 0, route: 0 });
  }

  /** The next contents. Mostly endpoints change, as in life. */
  next(): Contents {
    this.#revision += 1;
    const chance = this.#draw(10);
    if (chance < 5) this.#cluster().endpoints = this.#revision;
    else if (chance === 5) this.#cluster().own = this.#revision;
    else if (chance === 6) this.#toggleCluster(`c${this.#draw(clusterNames)}`);
    else if (chance === 7) this.#toggleDoor(`d${this.#draw(doorNames)}`);
    else this.#leadElsewhere();
    return this.contents();
  }

  contents(): Contents {
    const clusters: Record<string, Body> = {};
    const endpoints: Record<string, Body> = {};
    const listeners: Record<string, Body> = {};
    const routes: Record<string, Body> = {};
    for (const [name, revisions] of this.#clusters) {
      clusters[name] = { clusters: [], revision: revisions.own };
      endpoints[name] = { clusters: [], revision: revisions.endpoints };
    }
    for (const [name, { to, own, route }] of this.#doors) {
      listeners[name] = { clusters: [], route: name, revision: own };
      routes[name] = { clusters: [...to], revision: route };
    }
    return { clusters, endpoints, listeners, routes };
  }

  #cluster(): { own: number; endpoints: number } {
    const all = [...this.#clusters.values()];
    return all[this.#draw(all.length)] ?? { own: 0, endpoints: 0 };
  }

  #someCluster(): string {
    const all = [...this.#clusters.keys()];
    return all[this.#draw(all.length)] ?? '';
  }

  #toggleCluster(name: string): void {
    if (!this.#clusters.has(name)) {
      this.#clusters.set(name, { own: this.#revision, endpoints: this.#revision });
      return;
    }
    if (this.#clusters.size === 1) return;
    this.#clusters.delete(name);
    for (const door of this.#doors.values()) {
      if (!door.to.includes(name)) continue;
      door.to = [this.#someCluster()];
      door.route = this.#revision;
    }
  }

  #toggleDoor(name: string): void {
    if (this.#doors.delete(name)) return;
    this.#doors.set(name, { to: [this.#someCluster()], own: this.#revision, route: this.#revision });
  }

  #leadElsewhere(): void {
    const doors = [...this.#doors.values()];
    const door = doors[this.#draw(doors.length)];
    if (!door) return;
    door.to = [this.#someCluster(), this.#someCluster()];
    door.route = this.#revision;
  }
}
