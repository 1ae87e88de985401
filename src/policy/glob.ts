/** Whether a node id fits a pattern in which `*` stands for any number of characters. */
export function globMatches(pattern: string, id: string): boolean {
  return globsMeet(pattern, id);
}

/**
 * Whether there is a text that fits both patterns. Walks all pairs of positions once, so no pattern takes long: two of
 * 253 characters meet in at most 64,516 steps.
 */
export function globsMeet(a: string, b: string): boolean {
  const width = b.length + 1;
  const reached = new Uint8Array((a.length + 1) * width);
  reached[0] = 1;
  for (let i = 0; i <= a.length; i += 1) {
    for (let j = 0; j <= b.length; j += 1) {
      if (reached[i * width + j] !== 1) continue;
      const [x, y] = [a[i], b[j]];
      // A star may stand for nothing, or swallow the other side's next character (or its star).
      if (x === '*' || (x === y && x !== undefined)) reached[(i + 1) * width + j + (x === '*' ? 0 : 1)] = 1;
      if (y === '*') reached[i * width + j + 1] = 1;
      if (x === '*' && y !== undefined) reached[i * width + j + 1] = 1;
      if (y === '*' && x !== undefined) reached[(i + 1) * width + j] = 1;
    }
  }
  return reached[a.length * width + b.length] === 1;
}
