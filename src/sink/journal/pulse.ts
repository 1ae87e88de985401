/** A heartbeat: whoever waits is woken by the next beat, so that followers within the process need not look again and again. */
export class Pulse {
  readonly #waiting = new Set<() => void>();

  beat(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves with the next beat, or after so many milliseconds; rejects when, or if already, the signal is aborted. */
  next(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', abort);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const abort = (): void => {
        end();
        reject(new DOMException('the wait was aborted', 'AbortError'));
      };
      const timer = setTimeout(wake, milliseconds);
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }
}
