/** What keeps the service from its work, by subject; ready is when nothing does. */
export class Obstacles {
  readonly #reasons = new Map<string, string>();

  /** `reason` undefined: this subject is in order. */
  set(subject: string, reason: string | undefined): void {
    if (reason === undefined) this.#reasons.delete(subject);
    else this.#reasons.set(subject, reason);
  }

  readiness(): { ready: boolean; reasons: string[] } {
    const reasons = [...this.#reasons].map(([subject, reason]) => `${subject}: ${reason}`);
    return { ready: reasons.length === 0, reasons };
  }
}
