/** The known word that a mistyped one most likely was meant to be; undefined if none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    // One slip per three letters: `regoin` is near `region`, `aws` is not near `also`.
    .filter(({ candidate, distance: d }) => d <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate, 'en'));
  return near[0]?.candidate;
}

/** What to do about an unknown word: the nearest known one, or all that are known, or something else. */
export function didYouMean(word: string, known: readonly string[], otherwise?: string): string {
  const near = nearest(word, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  const list = `use one of: ${known.join(', ')}`;
  return otherwise === undefined ? list : `${list}; ${otherwise}`;
}

/** Edits (insert, delete, replace, swap of neighbours) between two words; words of absurd length are far from all. */
function distance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Infinity;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (above[column] ?? Infinity) + 1,
        (current[column - 1] ?? Infinity) + 1,
        (above[column - 1] ?? Infinity) + (same ? 0 : 1),
        swapped ? (before[column - 2] ?? Infinity) + 1 : Infinity,
      );
    }
    before = above;
    above = current;
  }
  return above[b.length] ?? Infinity;
}
