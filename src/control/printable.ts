/** What a node says of itself, or a policy names, must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
