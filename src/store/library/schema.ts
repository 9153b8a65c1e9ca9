import { texts } from "@/language/language";

/**
 * Validation of external data: a schema takes any value and returns the typed value, or throws a
 * `SchemaError` that names the path. Unknown fields are dropped.
 */
export type Schema<T> = (value: unknown, at: string) => T;

export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

function refuse(at: string, wanted: string): never {
  throw new SchemaError(texts.documents.is(at, wanted));
}

/** Largest number of characters of a text that is drawn unchanged. */
const MAX_CHARACTERS = 2 ** 16;
/** Entries of a list or a dictionary. */
const MAX_ENTRIES = 2 ** 20;

export const string: Schema<string> = (value, at) => {
  const text = longString(value, at);
  return text.length <= MAX_CHARACTERS
    ? text
    : refuse(at, texts.documents.shortText(MAX_CHARACTERS));
};

/** Of any length; its length is checked elsewhere. */
export const longString: Schema<string> = (value, at) =>
  typeof value === "string" ? value : refuse(at, texts.documents.text);

export const flag: Schema<boolean> = (value, at) =>
  typeof value === "boolean" ? value : refuse(at, texts.documents.flag);

/** Finite. */
export const finite: Schema<number> = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? value : refuse(at, texts.documents.number);

/** @param most inclusive */
export function whole(most = Number.MAX_SAFE_INTEGER): Schema<number> {
  return (value, at) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most
      ? value
      : refuse(at, texts.documents.whole(most));
}

/** One of a list of strings or numbers. */
export function oneOf<const T extends string | number>(...values: readonly T[]): Schema<T> {
  return (value, at) =>
    values.find((each) => each === value) ?? refuse(at, texts.documents.oneOf(values.map(String)));
}

/** The first of two schemas that accepts the value. */
export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return (value, at) => {
    try {
      return first(value, at);
    } catch {
      return second(value, at);
    }
  };
}

export function list<T>(item: Schema<T>, most = MAX_ENTRIES): Schema<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return refuse(at, texts.documents.list);
    if (value.length > most) return refuse(at, texts.documents.shortList(most, value.length));
    return value.map((each, index) => item(each, `${at}[${index}]`));
  };
}

/** A dictionary with any keys. */
export function dictionary<T>(item: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return (value, at) =>
    Object.fromEntries(
      Object.entries(asObject(value, at)).map(([key, each]) => [key, item(each, `${at}.${key}`)]),
    );
}

/** A field that may be absent. */
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return (value, at) => (value === undefined ? undefined : schema(value, at));
}

/** An object with exactly the fields of `T`; absent optional fields remain absent. */
export function object<T extends object>(
  fields: {
    readonly [K in keyof T]-?: Schema<T[K]>;
  },
): Schema<T> {
  return (value, at) => {
    const given = asObject(value, at);
    const checked: Partial<T> = {};
    for (const name in fields) {
      const own = Object.hasOwn(given, name) ? given[name] : undefined;
      const field = fields[name](own, at ? `${at}.${name}` : name);
      if (field !== undefined) checked[name] = field;
    }
    // Every field of T was validated above.
    return checked as T;
  };
}

function asObject(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  return refuse(at, texts.documents.object);
}
