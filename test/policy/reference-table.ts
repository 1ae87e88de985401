import * as z from 'zod';
import { table } from '../support/generated.ts';

/** The rows of the key reference of docs/policy.md, made from the schema: key, type, default, bounds, example, meaning. */
export function referenceTable(schema: z.ZodType): string {
  const rows = rowsOf(schema, '', { required: true, fallback: undefined });
  return table(['key', 'type', 'default', 'bounds', 'example', 'meaning'], rows);
}

interface Standing {
  readonly required: boolean;
  readonly fallback: unknown;
  readonly notes?: Record<string, unknown> | undefined;
}

function rowsOf(schema: unknown, path: string, standing: Standing): string[][] {
  if (!(schema instanceof z.ZodType)) throw new TypeError(`${path}: not a schema`);
  const notes = standing.notes ?? schema.meta();
  if (schema instanceof z.ZodPrefault) {
    return rowsOf(schema.unwrap(), path, { required: false, fallback: schema.def.defaultValue, notes });
  }
  if (schema instanceof z.ZodOptional) return rowsOf(schema.unwrap(), path, { ...standing, required: false, notes });
  const own = path === '' ? [] : [rowOf(schema, path, standing, notes)];
  if (schema instanceof z.ZodObject) {
    const children = Object.entries(schema.shape).flatMap(([key, child]) =>
      rowsOf(child, path === '' ? key : `${path}.${key}`, { required: true, fallback: undefined }),
    );
    return [...own, ...children];
  }
  return [...own, ...members(schema, path)];
}

/** Maps inside lists, records and unions; lists of plain texts need no row of their own. */
function members(schema: z.ZodType, path: string): string[][] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => members(option as z.ZodType, path));
  if (schema instanceof z.ZodArray) return members(schema.element as z.ZodType, `${path}[]`);
  if (schema instanceof z.ZodRecord) {
    return rowsOf(schema.valueType, `${path}.${path.endsWith('pins') ? 'HOST' : 'GROUP'}`, {
      required: true,
      fallback: undefined,
    });
  }
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, child]) =>
    rowsOf(child, `${path}.${key}`, { required: true, fallback: undefined }),
  );
}

function rowOf(
  schema: z.ZodType,
  path: string,
  standing: Standing,
  notes: Record<string, unknown> | undefined,
): string[] {
  const { description, wants, examples } = notes ?? {};
  if (typeof description !== 'string' || typeof wants !== 'string')
    throw new TypeError(`${path}: no notes in the schema`);
  const fallback = standing.fallback === undefined ? 'none' : `\`${JSON.stringify(standing.fallback)}\``;
  const example: unknown = Array.isArray(examples) ? examples[0] : undefined;
  return [
    `\`${path}\``,
    wants,
    standing.required ? 'required' : fallback,
    boundsOf(schema),
    example === undefined ? '' : `\`${flow(example)}\``,
    description,
  ];
}

/** As one would write it in YAML's flow style. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${flow(item)}`)
      .join(', ')}}`;
  }
  const text = String(value);
  return typeof value === 'string' && /[*[\]{},]/.test(text) ? JSON.stringify(text) : text;
}

function boundsOf(schema: z.ZodType): string {
  const { minItems, maxItems, minimum, maximum } = z.toJSONSchema(schema, { io: 'input' });
  if (maxItems !== undefined) return `${minItems ?? 0} to ${maxItems} entries`;
  if (minItems !== undefined) return `at least ${minItems}`;
  if (maximum !== undefined) return `${minimum ?? 0} to ${maximum}`;
  return '';
}
