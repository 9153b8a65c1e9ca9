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
  /** Of a comparison; empty: one answer with the settings of the link. */
  readonly lanes: readonly SharedLane[];
}

interface SharedLane {
  readonly policy: string;
  readonly keepPercent: number;
  readonly options: OptionValues;
}

const ASK = "ask";
const LANES = "lanes";
/** Characters of the longest question that a link carries, and its lanes at most. */
const LONGEST_QUESTION = 500;
const MOST_SHARED_LANES = 4;

/**
 * `?ask=What+is+the+total%3F&lanes=full:100,aircache:10&o2.alpha=0.5`; undefined if the link asks nothing. `o2.` are
 * options of the second lane, where they differ from those of the link's policy or the defaults.
 */
export function readQuestion(
  query: string,
  policies: readonly PolicyInfo[],
): SharedQuestion | undefined {
  const given = new URLSearchParams(query);
  const question = given.get(ASK)?.trim() ?? "";
  if (question === "" || question.length > LONGEST_QUESTION) return undefined;
  const lanes = (given.get(LANES) ?? "").split(",").flatMap((lane, index) => {
    const [id, keep] = lane.split(":");
    const policy = policies.find((each) => each.id === id);
    const percent = Number(keep);
    if (!policy || !(percent >= 1 && percent <= 100)) return [];
    const shared = given.get("policy") === id ? optionTexts(given, policy, OPTION) : {};
    const own = optionTexts(given, policy, laneOption(index));
    const options = readOptions(policy, { ...shared, ...own });
    return [{ policy: policy.id, keepPercent: clampPercent(percent), options }];
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
  for (const [index, lane] of lanes.entries()) {
    const policy = policies.find(({ id }) => id === lane.policy);
    if (!policy || lanes.length < 2) continue;
    const shared = lane.policy === state.policy ? state.options[policy.id] : {};
    const base = completeOptions(policy, shared);
    for (const [name, value] of Object.entries(completeOptions(policy, lane.options))) {
      if (value !== base[name]) written.set(laneOption(index) + name, String(value));
    }
  }
  return `?${written}`;
}

/** Begin the names of a policy's options, and of those of a lane. */
const OPTION = "o.";
const laneOption = (index: number) => `o${index + 1}.`;

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
  const options = policy && readOptions(policy, optionTexts(given, policy, OPTION));
  const scope = given.get("scope");
  const sample = given.get("sample");
  const overlay = given.get("veil");
  const layer = readLayer(given.get("layer"));
  const keep = Number(given.get("keep"));
  const capMb = readNumber(given.get("cap"), CAP_LIMITS);
  const cacheType = CACHE_CHOICES.find((choice) => choice === given.get("kv"));
  const sampling = readSampling(given);
  return {
    ...(policy && options ? { policy: policy.id, options: { [policy.id]: options } } : {}),
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
  for (const name of [...written.keys()]) if (/^o\d*\./.test(name)) written.delete(name);
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

/** Options whose name begins with `prefix`, under the names that they have now. */
function optionTexts(given: URLSearchParams, policy: PolicyInfo, prefix: string): OptionValues {
  const texts = [...given].flatMap(([name, text]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), text] as const] : [],
  );
  return currentNames(policy.options, Object.fromEntries(texts));
}

function readOptions(policy: PolicyInfo, texts: OptionValues): OptionValues {
  const values = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      policy.options[name]?.kind === "number" ? Number(text) : text,
    ]),
  );
  return completeOptions(policy, values);
}
