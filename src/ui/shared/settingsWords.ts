import { texts } from "@/language/language";
import { DEFAULT_SAMPLING } from "@/protocol/defaults";
import type { CacheSettings, Sampling } from "@/protocol/request";
import { changedOptions, type PolicyInfo } from "@/store/settings/policyInfo";
import { FULL } from "@/store/settings/settings";
import { formatCount, formatRetention } from "@/text/format";

type Named = Pick<CacheSettings, "policy" | "retention" | "capMb">;

/** `AirCache 10 %, cap 2 MB`; the full cache has no percentage. */
export function settingsLabel(policies: readonly PolicyInfo[], settings: Named): string {
  const { policy, retention, capMb } = settings;
  const label = policyLabel(policies, policy);
  const kept = policy === FULL ? label : `${label} ${formatRetention(retention)}`;
  return capMb === undefined ? kept : texts.cache.settings.withCap(kept, capMb);
}

export function policyLabel(policies: readonly PolicyInfo[], id: string): string {
  const policy = policies.find((each) => each.id === id);
  return policy ? texts.policy(policy.label) : id;
}

/** Everything about settings that their short label leaves out: scope and changed options. */
export function settingsDetails(
  policies: readonly PolicyInfo[],
  settings: CacheSettings,
): readonly string[] {
  const policy = policies.find(({ id }) => id === settings.policy);
  const { earlierRetention } = settings;
  const earlier =
    earlierRetention === undefined
      ? []
      : [texts.cache.settings.earlier(formatRetention(earlierRetention))];
  if (!policy || settings.policy === FULL) return earlier;
  const scope = settings.scope === "prompt" ? [texts.cache.settings.ofPrompt] : [];
  const options = changedOptions(policy, settings.options);
  return [
    ...earlier,
    ...scope,
    ...options.map(({ label, value }) => `${texts.policy(label).toLowerCase()} ${value}`),
  ];
}

/** Sampling, as far as it differs from the defaults. */
export function samplingWords(sampling: Sampling): readonly string[] {
  const { maxNewTokens, temperature, topP, seed } = sampling;
  const say = texts.cache.settings;
  const words = (isSaid: boolean, text: string) => (isSaid ? [text] : []);
  return [
    ...words(temperature !== DEFAULT_SAMPLING.temperature, say.temperature(temperature)),
    ...words(topP !== DEFAULT_SAMPLING.topP, say.topP(topP)),
    ...words(seed !== DEFAULT_SAMPLING.seed, say.seed(seed)),
    ...words(maxNewTokens !== DEFAULT_SAMPLING.maxNewTokens, say.atMost(formatCount(maxNewTokens))),
  ];
}
