/** What the exit code of every command means; scripts rely on it. */
export const exitCodes = { good: 0, badNews: 1, wrongUse: 2 } as const;
