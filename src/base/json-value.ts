/** Keys and indexes from the root of a message. */
export type FieldPath = readonly (string | number)[];

/** Whether a value of JSON is an object. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
