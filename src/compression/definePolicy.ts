import type { OptionSpecs, OptionValues, ValuesOf } from "./options";
import { planShared, SHARED_OPTIONS, type SharedValues } from "./sharedOptions";
import type { TapSpec } from "./taps/registry";
import {
  type DecodeRule,
  type KeepPlan,
  type PlanInput,
  type PlanNotice,
  type Policy,
  PolicyError,
} from "./types";

/**
 * The definition in a policy's file. `definePolicy` adds the shared options and typed option
 * values.
 */
export interface PolicySpec<S extends OptionSpecs>
  extends Pick<
    Policy,
    "id" | "label" | "summary" | "paper" | "release" | "ranks" | "keepsNewest" | "beforePrefill"
  > {
  readonly options: S;
  /** `none` for the policy that keeps every row. */
  readonly shared?: "none";
  deviation?(options: ValuesOf<S>): string | undefined;
  deviantRows?(input: PlanInput, options: ValuesOf<S>): readonly number[];
  taps(options: ValuesOf<S>): TapSpec;
  plan(input: PlanInput, options: ValuesOf<S>): KeepPlan;
  decode?(input: PlanInput, plan: KeepPlan, options: ValuesOf<S>): DecodeRule;
  /** Notices about options that had to be clamped for this prompt. */
  notices?(input: PlanInput, options: ValuesOf<S>): readonly PlanNotice[];
}

/** A policy with the options that all share, its protections and notices; its own functions get typed options. */
export function definePolicy<S extends OptionSpecs>(spec: PolicySpec<S>): Policy {
  const { shared, deviation, deviantRows, decode, notices, ...rest } = spec;
  const typed = (options: OptionValues) => options as ValuesOf<S>;
  return {
    ...rest,
    options: shared === "none" ? spec.options : { ...spec.options, ...SHARED_OPTIONS },
    taps: (options) => spec.taps(typed(options)),
    plan(input, options) {
      const own = (given: PlanInput) =>
        withNotices(spec.plan(given, typed(options)), [
          ...(notices?.(given, typed(options)) ?? []),
          ...protectionNotices(given, options),
        ]);
      const { protect = "none", blend = 0 } = options as Partial<SharedValues>;
      if (protect === "none" && blend === 0) return own(input);
      if (deviation?.(typed(options))) {
        throw new PolicyError(
          `${spec.label}: protect and blend work with variants that keep the exact budget only.`,
        );
      }
      return planShared(own, input, { protect, blend });
    },
    ...(deviation && { deviation: (options) => deviation(typed(options)) }),
    ...(deviantRows && { deviantRows: (input, options) => deviantRows(input, typed(options)) }),
    ...(decode && { decode: (input, plan, options) => decode(input, plan, typed(options)) }),
  };
}

function withNotices(plan: KeepPlan, said: readonly PlanNotice[]): KeepPlan {
  const notices = [...(plan.notices ?? []), ...said];
  return notices.length > 0 ? { ...plan, notices } : plan;
}

/** A notice if the budget is too small for all protected sinks and recent rows. */
function protectionNotices({ budget, layers }: PlanInput, options: OptionValues): PlanNotice[] {
  const { sinks = 0, recent = 0 } = options;
  const rows = Math.floor(budget / layers);
  const asked = Number(sinks) + Number(recent);
  return asked <= rows ? [] : [{ code: "fewerProtected", asked, rows }];
}
