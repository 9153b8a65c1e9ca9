/**
 * Options: how a policy declares them, what is valid, and how a name that changed goes on being read.
 * Pure, and the page's settings use it as the engine does.
 */

interface OptionBase {
  readonly label: string;
  readonly help: string;
  /** The option's name in earlier versions: addresses, commands and saved files that use it still work. */
  readonly formerly?: string;
}

export interface NumberSpec extends OptionBase {
  readonly kind: "number";
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  readonly default: number;
}

export interface ChoiceSpec<V extends readonly string[] = readonly string[]> extends OptionBase {
  readonly kind: "choice";
  readonly values: V;
  readonly default: string;
}

/** Free text; `pattern` (a whole-string regular expression) says what is valid. */
export interface TextSpec extends OptionBase {
  readonly kind: "text";
  readonly pattern: string;
  readonly default: string;
}

export type OptionSpec = NumberSpec | ChoiceSpec | TextSpec;

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What was chosen, by option name. */
export type OptionValues = Readonly<Record<string, number | string>>;

/** The values that a set of declared options takes. */
export type ValuesOf<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends { kind: "number" }
    ? number
    : S[K] extends { kind: "choice"; values: readonly (infer V)[] }
      ? V
      : string;
};

/** A whole number in [min, max]. */
export function integer(
  label: string,
  help: string,
  [min, max]: readonly [number, number],
  value: number,
): NumberSpec {
  return { kind: "number", label, help, min, max, integer: true, default: value };
}

/** A number in [min, max]. */
export function real(
  label: string,
  help: string,
  [min, max]: readonly [number, number],
  value: number,
): NumberSpec {
  return { kind: "number", label, help, min, max, integer: false, default: value };
}

/** One of `values`; the first is the default. */
export function choice<const V extends readonly [string, ...string[]]>(
  label: string,
  help: string,
  values: V,
): ChoiceSpec<V> {
  return { kind: "choice", label, help, values, default: values[0] };
}

/** Free text that `pattern` matches as a whole; the default is empty. */
export function freeText(label: string, help: string, pattern: string): TextSpec {
  return { kind: "text", label, help, pattern, default: "" };
}

/** `spec` under a new name; `name` is the old one. */
export function formerly<S extends OptionSpec>(name: string, spec: S): S {
  return { ...spec, formerly: name };
}

/** The same values, each under the name that its option has now; unknown names stay. */
export function currentNames(specs: OptionSpecs, given: OptionValues): OptionValues {
  const values = { ...given };
  for (const [name, { formerly }] of Object.entries(specs)) {
    if (formerly === undefined || !Object.hasOwn(given, formerly)) continue;
    delete values[formerly];
    values[name] = given[name] ?? given[formerly]!;
  }
  return values;
}

export function isValid(spec: OptionSpec, value: number | string): boolean {
  switch (spec.kind) {
    case "number":
      if (typeof value !== "number" || !(value >= spec.min && value <= spec.max)) return false;
      return !spec.integer || Number.isInteger(value);
    case "choice":
      return spec.values.includes(String(value));
    case "text":
      return new RegExp(`^(?:${spec.pattern})$`).test(String(value));
    default:
      return spec satisfies never;
  }
}

/** What `isValid` accepts, in words. */
export function allowedValues(spec: OptionSpec): string {
  switch (spec.kind) {
    case "number":
      return `${spec.integer ? "a whole number" : "a number"} from ${spec.min} to ${spec.max}`;
    case "choice":
      return `one of ${spec.values.join(", ")}`;
    case "text":
      return `text like ${spec.pattern}`;
    default:
      return spec satisfies never;
  }
}
