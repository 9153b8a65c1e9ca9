import type { OptionSpecs, ValuesOf } from "./options";
import { planShared, SHARED_OPTIONS, type SharedValues } from "./shared";
import {
  type DecodeRule,
  type KeepPlan,
  type OptionValues,
  type PlanInput,
  type Policy,
  PolicyError,
  type TapSpec,
} from "./types";

/** What a policy's file says; `definePolicy` adds the shared options and the types of its own. */
export interface PolicySpec<S extends OptionSpecs>
  extends Pick<Policy, "id" | "label" | "summary" | "paper" | "release"> {
  readonly options: S;
  /** `none` for the one policy that has nothing to share out. */
  readonly shared?: "none";
  deviation?(options: ValuesOf<S>): string | undefined;
  deviantRows?(input: PlanInput, options: ValuesOf<S>): readonly number[];
  taps(options: ValuesOf<S>): TapSpec;
  plan(input: PlanInput, options: ValuesOf<S>): KeepPlan;
  decode?(input: PlanInput, plan: KeepPlan, options: ValuesOf<S>): DecodeRule;
}

export function definePolicy<S extends OptionSpecs>(spec: PolicySpec<S>): Policy {
  const { shared, deviation, deviantRows, decode, ...rest } = spec;
  const typed = (options: OptionValues) => options as ValuesOf<S>;
  return {
    ...rest,
    options: shared === "none" ? spec.options : { ...spec.options, ...SHARED_OPTIONS },
    taps: (options) => spec.taps(typed(options)),
    plan(input, options) {
      const own = (given: PlanInput) => spec.plan(given, typed(options));
      const { protect = "none", blend = 0 } = options as Partial<SharedValues>;
      if (protect === "none" && blend === 0) return own(input);
      if (deviation?.(typed(options))) {
        throw new PolicyError(
          `${spec.label}: protect and blend work with readings that keep the exact budget only.`,
        );
      }
      return planShared(own, input, { protect, blend });
    },
    ...(deviation && { deviation: (options) => deviation(typed(options)) }),
    ...(deviantRows && { deviantRows: (input, options) => deviantRows(input, typed(options)) }),
    ...(decode && { decode: (input, plan, options) => decode(input, plan, typed(options)) }),
  };
}
