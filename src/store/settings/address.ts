import {
  currentNames,
  isWithin,
  type NumberLimits,
  type OptionValues,
} from "@/compression/options";
import { DEFAULT_SAMPLING } from "@/protocol/defaults";
import { completeOptions, type PolicyInfo } from "./policyInfo";
import {
  CACHE_CHOICES,
  CAP_LIMITS,
  clampPercent,
  INITIAL_SETTINGS,
  type LayerChoice,
  SAMPLING_LIMITS,
  type SettingsState,
} from "./settings";

/** The part of the page's state that a link carries. */
export type Addressed = Pick<
  SettingsState,
  | "policy"
  | "keepPercent"
  | "scope"
  | "options"
  | "capMb"
  | "cacheType"
  | "sampling"
  | "comparesWithFull"
  | "layer"
  | "overlay"
> & { readonly sample?: string };

/** What a shared link asks when it is opened. */
export interface SharedQuestion {
  readonly question: string;
  /** Policy and percent of each lane of a comparison; empty: one answer with the settings of the link. */
  readonly lanes: readonly { readonly policy: string; readonly keepPercent: number }[];
}

const ASK = "ask";
const LANES = "lanes";
/** Characters of the longest question that a link carries, and its lanes at most. */
const LONGEST_QUESTION = 500;
const MOST_SHARED_LANES = 4;

/** `?ask=What+is+the+total%3F&lanes=full:100,aircache:10`; undefined if the link asks nothing. */
export function readQuestion(
  query: string,
  policies: readonly PolicyInfo[],
): SharedQuestion | undefined {
  const given = new URLSearchParams(query);
  const question = given.get(ASK)?.trim() ?? "";
  if (question === "" || question.length > LONGEST_QUESTION) return undefined;
  const lanes = (given.get(LANES) ?? "").split(",").flatMap((lane) => {
    const [policy = "", keep] = lane.split(":");
    const percent = Number(keep);
    const isRight = policies.some(({ id }) => id === policy) && percent >= 1 && percent <= 100;
    return isRight ? [{ policy, keepPercent: clampPercent(percent) }] : [];
  });
  return { question, lanes: lanes.length > 1 ? lanes.slice(0, MOST_SHARED_LANES) : [] };
}

/**
 * The query of a link that asks a question: the settings, the sample, and the question; undefined if the
 * question is too long for a link.
 */
export function writeQuestion(
  { question, lanes }: SharedQuestion,
  state: Addressed,
  policies: readonly PolicyInfo[],
): string | undefined {
  if (question.length > LONGEST_QUESTION) return undefined;
  const written = new URLSearchParams(writeAddress("", state, policies));
  written.set(ASK, question);
  const named = lanes.map(({ policy, keepPercent }) => `${policy}:${keepPercent}`);
  if (named.length > 1) written.set(LANES, named.join(","));
  return `?${written}`;
}

const OPTION = "o.";

/** Names of the sampling parameters in an address, as on the command line. */
const SAMPLING_NAMES = {
  maxNewTokens: "max-new-tokens",
  temperature: "temperature",
  topP: "top-p",
  seed: "seed",
} as const;
const SAMPLING_PARTS = Object.keys(SAMPLING_NAMES) as readonly (keyof typeof SAMPLING_NAMES)[];

/**
 * Settings from a query string: `?policy=aircache&keep=20&scope=prompt&cap=2&layer=5&sample=chart`.
 * Missing, unknown and invalid values are ignored, so old links still open.
 */
export function readAddress(
  query: string,
  policies: readonly PolicyInfo[],
): Partial<Addressed> & { readonly sample?: string } {
  const given = new URLSearchParams(query);
  const policy = policies.find(({ id }) => id === given.get("policy"));
  const scope = given.get("scope");
  const sample = given.get("sample");
  const overlay = given.get("veil");
  const layer = readLayer(given.get("layer"));
  const keep = Number(given.get("keep"));
  const capMb = readNumber(given.get("cap"), CAP_LIMITS);
  const cacheType = CACHE_CHOICES.find((choice) => choice === given.get("kv"));
  const sampling = readSampling(given);
  return {
    ...(policy ? { policy: policy.id, options: readOptions(given, policy) } : {}),
    ...(given.has("keep") && keep >= 1 && keep <= 100 ? { keepPercent: clampPercent(keep) } : {}),
    ...(scope === "visual" || scope === "prompt" ? { scope } : {}),
    ...(capMb === undefined ? {} : { capMb }),
    ...(cacheType === undefined ? {} : { cacheType }),
    ...(sampling ? { sampling } : {}),
    ...(given.get("reference") === "off" ? { comparesWithFull: false } : {}),
    ...(layer === undefined ? {} : { layer }),
    ...(overlay === "kept" || overlay === "heat" || overlay === "off" ? { overlay } : {}),
    ...(sample ? { sample } : {}),
  };
}

/** The query string of a state, added to parameters that are not settings. Defaults are omitted. */
export function writeAddress(
  query: string,
  state: Addressed,
  policies: readonly PolicyInfo[],
): string {
  const written = new URLSearchParams(query);
  for (const name of [...written.keys()]) if (name.startsWith(OPTION)) written.delete(name);
  // A link asks once: loading the page again does not ask again.
  for (const name of [ASK, LANES]) written.delete(name);
  const set = (name: string, value: string | number, isDefault: boolean) =>
    isDefault ? written.delete(name) : written.set(name, String(value));

  set("policy", state.policy, state.policy === INITIAL_SETTINGS.policy);
  set("keep", state.keepPercent, state.keepPercent === INITIAL_SETTINGS.keepPercent);
  set("scope", state.scope, state.scope === INITIAL_SETTINGS.scope);
  set("cap", state.capMb ?? "", state.capMb === undefined);
  set("kv", state.cacheType, state.cacheType === INITIAL_SETTINGS.cacheType);
  for (const part of SAMPLING_PARTS) {
    const value = state.sampling[part];
    set(SAMPLING_NAMES[part], value, value === DEFAULT_SAMPLING[part]);
  }
  set("reference", "off", state.comparesWithFull);
  const layer = state.layer === "all" ? "all" : state.layer + 1;
  set("layer", layer, state.layer === INITIAL_SETTINGS.layer);
  set("veil", state.overlay, state.overlay === INITIAL_SETTINGS.overlay);
  set("sample", state.sample ?? "", state.sample === undefined);

  const policy = policies.find(({ id }) => id === state.policy);
  const options = policy ? completeOptions(policy, state.options[policy.id]) : {};
  for (const [name, value] of Object.entries(options)) {
    if (value === policy?.options[name]?.default) continue;
    written.set("policy", state.policy);
    written.set(OPTION + name, String(value));
  }
  const text = written.toString();
  return text ? `?${text}` : "";
}

/** Layers are counted from 1 in an address, as they are on the page. */
function readLayer(text: string | null): LayerChoice | undefined {
  if (text === "all") return "all";
  const layer = Number(text);
  return text !== null && Number.isInteger(layer) && layer >= 1 ? layer - 1 : undefined;
}

function readNumber(text: string | null, limits: NumberLimits): number | undefined {
  const value = Number(text || Number.NaN);
  return isWithin(value, limits) ? value : undefined;
}

function readSampling(given: URLSearchParams): SettingsState["sampling"] | undefined {
  const found = SAMPLING_PARTS.flatMap((part) => {
    const value = readNumber(given.get(SAMPLING_NAMES[part]), SAMPLING_LIMITS[part]);
    return value === undefined ? [] : [[part, value] as const];
  });
  return found.length > 0 ? { ...DEFAULT_SAMPLING, ...Object.fromEntries(found) } : undefined;
}

function readOptions(
  given: URLSearchParams,
  policy: PolicyInfo,
): Readonly<Record<string, OptionValues>> {
  const texts = [...given].flatMap(([name, text]) =>
    name.startsWith(OPTION) ? [[name.slice(OPTION.length), text] as const] : [],
  );
  const named = currentNames(policy.options, Object.fromEntries(texts));
  const values = Object.fromEntries(
    Object.entries(named).map(([name, text]) => [
      name,
      policy.options[name]?.kind === "number" ? Number(text) : text,
    ]),
  );
  return { [policy.id]: completeOptions(policy, values) };
}
