import * as z from 'zod';
import { policySchema } from './schema.ts';

/** The policy's shape as JSON Schema (draft 2020-12), for editors; the text of sekisho.schema.json. */
export function policyJsonSchema(): string {
  const schema = z.toJSONSchema(policySchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // Zod leaves examples out where a text is read into something else; ours are of the text.
      const examples = z.globalRegistry.get(zodSchema)?.['examples'];
      if (Array.isArray(examples) && examples.length > 0) jsonSchema.examples = examples;
      // Our own notes, for people.
      delete jsonSchema['wants'];
      delete jsonSchema['otherwise'];
    },
  });
  return `${JSON.stringify({ title: 'sekisho.yaml', ...schema }, null, 2)}\n`;
}
