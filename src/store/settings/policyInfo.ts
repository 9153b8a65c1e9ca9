/**
 * What the page knows of a policy: its names, its paper and its options. Structurally a part of
 * `Policy`, so that `main.tsx` can hand the registry over as it is.
 */
export interface PolicyInfo {
  readonly id: string;
  readonly label: string;
  /** One sentence. */
  readonly summary: string;
  readonly paper?: { readonly title: string; readonly venue: string; readonly url: string };
  readonly release?: string;
  readonly options: Readonly<Record<string, OptionInfo>>;
  /** How a reading with these options departs from the rules that all policies keep. */
  deviation?(options: OptionValues): string | undefined;
}

export type OptionValues = Readonly<Record<string, number | string>>;

export type OptionInfo =
  | {
      readonly kind: "number";
      readonly label: string;
      readonly help: string;
      readonly min: number;
      readonly max: number;
      readonly integer: boolean;
      readonly default: number;
    }
  | {
      readonly kind: "choice";
      readonly label: string;
      readonly help: string;
      readonly values: readonly string[];
      readonly default: string;
    }
  | {
      /** Free text that `pattern` matches as a whole. */
      readonly kind: "text";
      readonly label: string;
      readonly help: string;
      readonly pattern: string;
      readonly default: string;
    };

/** Defaults overlaid with what was chosen; what the policy does not know is left out. */
export function completeOptions(policy: PolicyInfo, chosen: OptionValues = {}): OptionValues {
  return Object.fromEntries(
    Object.entries(policy.options).map(([name, option]) => {
      const value = chosen[name];
      return [name, value !== undefined && isValid(option, value) ? value : option.default];
    }),
  );
}

/** Options that differ from their default, with their labels. */
export function changedOptions(
  policy: PolicyInfo,
  values: OptionValues,
): { readonly label: string; readonly value: number | string }[] {
  return Object.entries(policy.options).flatMap(([name, option]) => {
    const value = values[name];
    return value === undefined || value === option.default ? [] : [{ label: option.label, value }];
  });
}

export function isValid(option: OptionInfo, value: number | string): boolean {
  if (option.kind === "choice") return option.values.includes(String(value));
  if (option.kind === "text") return new RegExp(`^(?:${option.pattern})$`).test(String(value));
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if (option.integer && !Number.isInteger(value)) return false;
  return value >= option.min && value <= option.max;
}
