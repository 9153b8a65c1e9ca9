import { type OptionSpec, type OptionValues, type Policy, PolicyError } from "./types";

/** Options: how a policy declares them, and how what a user gave becomes a complete set. */

type NumberSpec = Extract<OptionSpec, { kind: "number" }>;
type ChoiceSpec<V extends readonly string[]> = Omit<
  Extract<OptionSpec, { kind: "choice" }>,
  "values"
> & { readonly values: V };
type TextSpec = Extract<OptionSpec, { kind: "text" }>;

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

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

export function text(label: string, help: string, pattern: string): TextSpec {
  return { kind: "text", label, help, pattern, default: "" };
}

/**
 * Everything that was given, checked, and defaults for the rest.
 * @throws PolicyError naming the option, the value and what is allowed.
 */
export function resolveOptions(policy: Policy, given: OptionValues = {}): OptionValues {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(policy.options, name)) continue;
    const known = Object.keys(policy.options).join(", ") || "none";
    throw new PolicyError(`${policy.label} has no option "${name}"; its options: ${known}.`);
  }
  return Object.fromEntries(
    Object.entries(policy.options).map(([name, spec]) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      return [name, value === undefined ? spec.default : checked(policy, name, spec, value)];
    }),
  );
}

function checked(
  policy: Policy,
  name: string,
  spec: OptionSpec,
  value: number | string,
): number | string {
  const refuse = (allowed: string) =>
    new PolicyError(`${policy.label}: ${name} must be ${allowed}, not ${JSON.stringify(value)}.`);
  switch (spec.kind) {
    case "number": {
      const kind = spec.integer ? "a whole number" : "a number";
      const inside = typeof value === "number" && value >= spec.min && value <= spec.max;
      if (inside && (!spec.integer || Number.isInteger(value))) return value;
      throw refuse(`${kind} from ${spec.min} to ${spec.max}`);
    }
    case "choice":
      if (spec.values.includes(String(value))) return String(value);
      throw refuse(`one of ${spec.values.join(", ")}`);
    case "text":
      if (new RegExp(`^(?:${spec.pattern})$`).test(String(value))) return String(value);
      throw refuse(`text like ${spec.pattern}`);
    default:
      return spec satisfies never;
  }
}

/** Pooling needs a middle. */
export function oddKernel(kernel: number): number {
  if (kernel % 2 === 1) return kernel;
  throw new PolicyError(`kernel must be odd, not ${kernel}.`);
}
