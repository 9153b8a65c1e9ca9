import { currentNames, isValid, type OptionSpecs, type OptionValues } from "@/compression/options";

/**
 * The page's view of a policy: its names, its paper and its options. It is structurally a part of
 * `Policy`, so `main.tsx` can pass the registry unchanged.
 */
export interface PolicyInfo {
  readonly id: string;
  readonly label: string;
  /** One sentence. */
  readonly summary: string;
  readonly paper?: { readonly title: string; readonly venue: string; readonly url: string };
  readonly release?: string;
  readonly options: OptionSpecs;
  /** How these options depart from the rules that all policies keep. */
  deviation?(options: OptionValues): string | undefined;
}

/** Defaults with the chosen values; unknown options are ignored. */
export function completeOptions(policy: PolicyInfo, chosen: OptionValues = {}): OptionValues {
  const values = currentNames(policy.options, chosen);
  return Object.fromEntries(
    Object.entries(policy.options).map(([name, option]) => {
      const value = values[name];
      return [name, value !== undefined && isValid(option, value) ? value : option.default];
    }),
  );
}

/** Options that differ from their default, with their labels. */
export function changedOptions(
  policy: PolicyInfo,
  given: OptionValues,
): { readonly label: string; readonly value: number | string }[] {
  const values = currentNames(policy.options, given);
  return Object.entries(policy.options).flatMap(([name, option]) => {
    const value = values[name];
    return value === undefined || value === option.default ? [] : [{ label: option.label, value }];
  });
}
