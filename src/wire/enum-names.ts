/** The number of an enum's name; 0, the default of proto3, for a name that is not known. */
export function numberIn<Name extends string>(names: Readonly<Record<Name, number>>, name: Name | 'unknown'): number {
  return name === 'unknown' ? 0 : names[name];
}

/** The name of an enum's number; `unknown` for 0 and for numbers of a later version. */
export function nameIn<Name extends string>(names: Readonly<Record<Name, number>>, number: number): Name | 'unknown' {
  for (const name in names) if (names[name] === number) return name;
  return 'unknown';
}
