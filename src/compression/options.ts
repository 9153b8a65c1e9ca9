/**
 * Options: declaration, validation, and support for renamed options. Pure, and the page's settings
 * use it as the engine does.
 */

interface OptionBase {
  readonly label: string;
  readonly help: string;
  /** The option's name in earlier versions: addresses, commands and saved files that use it still work. */
  readonly formerly?: string;
}

/** Which numbers a number may be. */
export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
  /** Whole and odd: a kernel that has a middle. */
  readonly odd?: true;
}

interface NumberSpec extends OptionBase, NumberLimits {
  readonly kind: "number";
  readonly default: number;
}

interface ChoiceSpec<V extends readonly string[] = readonly string[]> extends OptionBase {
  readonly kind: "choice";
  readonly values: V;
  readonly default: string;
}

/** Free text; `pattern` (a whole-string regular expression) says what is valid. */
export interface TextSpec extends OptionBase {
  readonly kind: "text";
  readonly pattern: string;
  /** A valid value for a model of four layers, for the contract tests. */
  readonly example: string;
  readonly default: string;
}

export type OptionSpec = NumberSpec | ChoiceSpec | TextSpec;

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What was chosen, by option name. */
export type OptionValues = Readonly<Record<string, number | string>>;

/** The value types of a set of declared options. */
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

/** An odd whole number in [min, max]. */
export function oddInteger(
  label: string,
  help: string,
  range: readonly [number, number],
  value: number,
): NumberSpec {
  return { ...integer(label, help, range, value), odd: true };
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
export function freeText(
  label: string,
  help: string,
  { pattern, example }: Pick<TextSpec, "pattern" | "example">,
): TextSpec {
  return { kind: "text", label, help, pattern, example, default: "" };
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

export function isWithin(value: number, { min, max, integer, odd }: NumberLimits): boolean {
  if (!(value >= min && value <= max)) return false;
  return (!integer || Number.isInteger(value)) && (!odd || value % 2 !== 0);
}

/** Whether an option may have a value, as its field on the page or a flag of the command line gives it. */
export function isValid(spec: OptionSpec, value: number | string): boolean {
  switch (spec.kind) {
    case "number":
      return typeof value === "number" && isWithin(value, spec);
    case "choice":
      return spec.values.includes(String(value));
    case "text":
      return new RegExp(`^(?:${spec.pattern})$`).test(String(value));
    default:
      return spec satisfies never;
  }
}

/** Describes what `isWithin` accepts. */
function allowedNumbers({ min, max, integer, odd }: NumberLimits): string {
  const kind = odd ? "an odd number" : integer ? "a whole number" : "a number";
  return `${kind} from ${min} to ${max}`;
}

/** Describes what `isValid` accepts. */
export function allowedValues(spec: OptionSpec): string {
  switch (spec.kind) {
    case "number":
      return allowedNumbers(spec);
    case "choice":
      return `one of ${spec.values.join(", ")}`;
    case "text":
      return `text like ${spec.pattern}`;
    default:
      return spec satisfies never;
  }
}
