import type { ExtraResource } from '../../policy/policy.types.ts';
import type { ProblemCode } from '../../policy/problem.ts';
import type { FieldPath } from '../../base/json-value.ts';
import type { TypedJson } from '../../wire/proto-json.ts';

/** A resource of the user's own, read. */
export interface Extra {
  readonly source: ExtraResource;
  /** In Envoy's own words. */
  readonly resource: TypedJson;
  readonly type: string;
  readonly name: string;
}

/** What is wrong with one, before its place is looked up. */
export interface ExtraFinding {
  readonly source: ExtraResource;
  readonly path: FieldPath;
  /** Whether the key itself is wrong, or what stands behind it. */
  readonly at: 'key' | 'value';
  readonly code: ProblemCode;
  readonly message: string;
  readonly remedy: string;
}

/** What the nodes of a group get of ours. */
export interface Group {
  readonly name: string;
  readonly generated: readonly TypedJson[];
}
