import type { CacheSettings } from "@/protocol/engine";
import { changedOptions, type PolicyInfo } from "@/store/policyInfo";
import { FULL } from "@/store/settings";
import { formatRetention } from "@/telemetry/format";

type Named = Pick<CacheSettings, "policy" | "retention" | "capMb">;

/** `AirCache 10 %, cap 2 MB`; the full cache has no percentage. */
export function settingsLabel(policies: readonly PolicyInfo[], settings: Named): string {
  const { policy, retention, capMb } = settings;
  const label = policyLabel(policies, policy);
  const kept = policy === FULL ? label : `${label} ${formatRetention(retention)}`;
  return capMb === undefined ? kept : `${kept}, cap ${capMb} MB`;
}

export function policyLabel(policies: readonly PolicyInfo[], id: string): string {
  return policies.find((policy) => policy.id === id)?.label ?? id;
}

/** Everything about settings that their short label leaves out: scope and changed options. */
export function settingsDetails(
  policies: readonly PolicyInfo[],
  settings: CacheSettings,
): readonly string[] {
  const policy = policies.find(({ id }) => id === settings.policy);
  if (!policy || settings.policy === FULL) return [];
  const scope = settings.scope === "prompt" ? ["of the whole prompt"] : [];
  const options = changedOptions(policy, settings.options);
  return [...scope, ...options.map(({ label, value }) => `${label.toLowerCase()} ${value}`)];
}
