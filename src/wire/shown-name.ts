/**
 * A name that the other end gave to itself or to what it asks for, as it may be kept, logged and answered: letters, digits, blanks and
 * `. _ / + - ~` (service meshes write node ids with the last). Whoever puts a secret where a name belongs (`token=…`, `https://user:password@host`) needs other characters, so that
 * a text with any of those is withheld, whole.
 */
export function shownName(name: string): string {
  return /^[\p{L}\p{N} ._/+~-]*$/u.test(name) ? name : withheldName;
}

/** What stands where a name was none. No node id and no type can be this. */
export const withheldName = '(withheld: no name)';
