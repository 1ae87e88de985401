/** '' and Envoy's `-` are its words for what is not there. */
export function present(text: string | undefined): string | undefined {
  return text === '-' || text === '' ? undefined : text;
}
