import { type Difference, differences, TOLERANCE } from "./compare";
import { type Fixture, packed, SCHEMA } from "./fixture";
import { METHODS } from "./methods";

/** One fixture against our policies. */
export interface GoldenResult {
  readonly method: string;
  /** Ids of the policies that were run. */
  readonly policies: readonly string[];
  readonly agrees: boolean;
  /** The same fields as the fixture's `expected` (of a search: `cases`), with our values. */
  readonly actual: unknown;
  readonly differences: readonly Difference[];
  /** Fields whose difference counts as agreement, with the reason. */
  readonly waived: Readonly<Record<string, string>>;
}

/** @throws RangeError for a file that is no fixture, or whose method is not known. */
export function runFixture(json: unknown): GoldenResult {
  const fixture = parse(json);
  const recomputed = METHODS[fixture.method]!(fixture);
  const expected = fixture.cases ? { cases: fixture.cases } : fixture.expected;
  const found = differences(expected, recomputed.actual, recomputed.tolerance ?? TOLERANCE);
  const waived = recomputed.waived ?? {};
  const isWaived = ({ field }: Difference) =>
    Object.keys(waived).some((path) => isFieldWithin(field, path));
  const open = found.filter((difference) => !isWaived(difference));
  return {
    method: fixture.method,
    policies: recomputed.policies,
    agrees: open.length === 0,
    actual: printable(recomputed.actual, expected),
    differences: open,
    waived,
  };
}

/** Whether a field is at a path or a part of what is there: `lens[0]` is within `lens`, not within `len`. */
export function isFieldWithin(field: string, path: string): boolean {
  return field.startsWith(path) && /^([.[]|$)/.test(field.slice(path.length));
}

function parse(json: unknown): Fixture {
  const fixture = json as Partial<Fixture> | null;
  if (typeof fixture !== "object" || fixture === null || fixture.schema !== SCHEMA) {
    throw new RangeError(`it is no fixture of the schema ${SCHEMA}`);
  }
  if (typeof fixture.method !== "string" || !Object.hasOwn(METHODS, fixture.method)) {
    throw new RangeError(`its method ${JSON.stringify(fixture.method)} is not known`);
  }
  if (!fixture.cases && !(fixture.inputs && fixture.shape && fixture.params && fixture.expected)) {
    throw new RangeError("it lacks inputs, shape, params or expected");
  }
  return fixture as Fixture;
}

/** Typed arrays in the fixture's encoding: packed if `expected` has a string, otherwise lists. */
function printable(actual: unknown, expected: unknown): unknown {
  if (actual instanceof Float32Array && typeof expected === "string") return packed(actual);
  if (ArrayBuffer.isView(actual)) return Array.from(actual as unknown as ArrayLike<number>);
  if (Array.isArray(actual)) {
    const list = Array.isArray(expected) ? expected : [];
    return actual.map((value, i) => printable(value, list[i]));
  }
  if (typeof actual !== "object" || actual === null) return actual;
  const fields = (expected ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(actual).map(([key, value]) => [key, printable(value, fields[key])]),
  );
}
