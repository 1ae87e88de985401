/** As many of the texts, from the first on, as take at most so many bytes of UTF-8. */
export function within(texts: readonly string[], bytes: number): string[] {
  let used = 0;
  const end = texts.findIndex((text) => (used += Buffer.byteLength(text)) > bytes);
  return texts.slice(0, end === -1 ? texts.length : end);
}
