import { allowedValues, currentNames, isValid, type OptionValues } from "./options";
import { type Policy, PolicyError } from "./types";

/**
 * Validates the given values and completes them with defaults.
 * @throws PolicyError naming the option, the value and what is allowed.
 */
export function resolveOptions(policy: Policy, given: OptionValues = {}): OptionValues {
  const values = currentNames(policy.options, given);
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(policy.options, name)) continue;
    const known = Object.keys(policy.options).join(", ") || "none";
    throw new PolicyError(`${policy.label} has no option "${name}"; its options: ${known}.`);
  }
  return Object.fromEntries(
    Object.entries(policy.options).map(([name, spec]) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) return [name, spec.default];
      if (!isValid(spec, value)) {
        throw new PolicyError(
          `${policy.label}: ${name} must be ${allowedValues(spec)}, not ${JSON.stringify(value)}.`,
        );
      }
      return [name, spec.kind === "number" ? value : String(value)];
    }),
  );
}
