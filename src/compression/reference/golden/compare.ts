import { floats } from "./fixture";

/**
 * Compares field by field: rows and counts exactly, floats within a tolerance, packed arrays
 * unpacked.
 */

/** Fixtures were computed in single precision. */
export const TOLERANCE = 1e-5;

export interface Difference {
  /** Path of the field inside of `expected`, e.g. `decode[3].ids_after`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Every field of `expected` in which `actual` differs. */
export function differences(
  expected: unknown,
  actual: unknown,
  tolerance = TOLERANCE,
  field = "",
): Difference[] {
  if (typeof expected === "string" && actual instanceof Float32Array) {
    return floatDifferences(floats(expected), actual, tolerance, field);
  }
  if (typeof expected === "number" && typeof actual === "number") {
    return isClose(expected, actual, tolerance) ? [] : [difference(field, expected, actual)];
  }
  if (Array.isArray(expected) && isList(actual)) {
    const { length } = expected;
    const lengths =
      length === actual.length ? [] : [difference(`${field}.length`, length, actual.length)];
    const common = lengths.length > 0 && !isRecord(expected[0]) ? [] : expected;
    return common
      .slice(0, actual.length)
      .flatMap((value, i) => differences(value, actual[i], tolerance, `${field}[${i}]`))
      .concat(lengths);
  }
  if (isRecord(expected) && isRecord(actual)) {
    return Object.keys(expected).flatMap((key) =>
      differences(expected[key], actual[key], tolerance, field ? `${field}.${key}` : key),
    );
  }
  return Object.is(expected ?? null, actual ?? null) ? [] : [difference(field, expected, actual)];
}

/** Whole numbers (rows, counts, places) must be equal; anything else within the tolerance. */
function isClose(expected: number, actual: number, tolerance: number): boolean {
  if (Number.isInteger(expected) && Number.isInteger(actual)) return expected === actual;
  return Math.abs(expected - actual) <= tolerance * Math.max(1, Math.abs(expected));
}

function floatDifferences(
  expected: Float32Array,
  actual: Float32Array,
  tolerance: number,
  field: string,
): Difference[] {
  if (expected.length !== actual.length) {
    return [difference(field, `${expected.length} floats`, `${actual.length} floats`)];
  }
  const at = expected.findIndex(
    (value, i) => !(Math.abs(value - actual[i]!) <= tolerance * Math.max(1, Math.abs(value))),
  );
  return at < 0 ? [] : [difference(`${field}[${at}]`, expected[at], actual[at])];
}

function difference(field: string, expected: unknown, actual: unknown): Difference {
  return { field, expected: show(expected), actual: show(actual) };
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !isList(value);
}
