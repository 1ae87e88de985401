/** The time, as an argument, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** For durations: it goes on from where the process began, whoever sets the time of day meanwhile. */
export const steadyClock: Clock = { now: () => performance.timeOrigin + performance.now() };
