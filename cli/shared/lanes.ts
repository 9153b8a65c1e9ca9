import { POLICIES } from "@/compression/registry";
import type { CacheSettings } from "@/protocol/request";
import { numberOption, usageError } from "./options";

/** @throws with exitCode 2 if there is no such policy */
export function checkPolicy(policy: string, usage: string): void {
  if (POLICIES.some(({ id }) => id === policy)) return;
  throw usageError(`There is no policy ${policy}.`, usage);
}

/** Parses `--scope`. @throws with exitCode 2 */
export function scopeOption(scope: string, usage: string): CacheSettings["scope"] {
  if (scope === "visual" || scope === "prompt") return scope;
  throw usageError(`--scope is visual or prompt, not ${scope}.`, usage);
}

/**
 * Parses `aircache:0.1`: a policy and its retention. All else is as in `settings`, but their options are of their policy
 * alone.
 * @param option the name that sentences give
 * @throws with exitCode 2
 */
export function parseLane(
  text: string,
  option: string,
  { options, ...settings }: CacheSettings,
  usage: string,
): CacheSettings {
  const [policy = "", retention = "1"] = text.split(":");
  checkPolicy(policy, usage);
  return {
    ...settings,
    policy,
    retention: numberOption(option, retention, { above: 0, to: 1 }),
    options: policy === settings.policy ? options : {},
  };
}

/**
 * Refuses options that no answer would use.
 * @param used settings of all answers
 * @param given the options' own settings
 * @throws with exitCode 2
 */
export function checkOptionsUsed(
  used: readonly CacheSettings[],
  { policy, options }: Pick<CacheSettings, "policy" | "options">,
  usage: string,
): void {
  if (Object.keys(options).length === 0 || used.some((lane) => lane.policy === policy)) return;
  throw usageError(`--option is for --policy ${policy}, which no lane has.`, usage);
}
