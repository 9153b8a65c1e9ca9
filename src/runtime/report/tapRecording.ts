import type { TapPrompt } from "@/compression/taps/prompt";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { AttentionHook } from "@/model/decoder/hooks";
import type { KvCache } from "@/model/kv/cache";
import { TapRecorder } from "@/model/taps/taps";
import type { LoadedModel } from "../load/loadedModel";
import { computedSpan, type PrefillSpan, tapsWithin } from "../request/prefillSpan";
import type { CheckedSettings } from "../request/request";

/** Taps and their rows. */
export interface TapRequest {
  readonly spec: TapSpec;
  readonly prompt: TapPrompt;
  /** Score the cached span instead of the prompt's own rows. */
  readonly cachedSpan?: boolean;
  /** Rows of the prompt that the cache holds already (`TapInput.cachedRows`). */
  readonly cachedRows?: number;
}

/** Several recorders as one hook. */
interface TapRecording extends AttentionHook {
  readonly notices: TapRecorder["notices"];
  /** Taps per request. */
  finish(): Promise<Taps[]>;
  destroy(): void;
}

/** The taps and rows that a prefill must record for a policy. */
export function tapsOf(
  { policy, options, settings }: CheckedSettings,
  span: PrefillSpan,
): TapRequest {
  const { rows, visual, textStart } = computedSpan(span);
  const hasCandidates = settings.scope === "prompt" || visual.length > 0;
  const spec = hasCandidates ? tapsWithin(policy.taps(options), span) : {};
  const prompt = { rows, visual, textStart };
  if (settings.scope === "visual") return { spec, prompt };
  // The elite rows score the candidates: in scope `prompt`, every row before the text.
  const keys = Uint8Array.from({ length: rows }, (_, row) => (row < textStart ? 1 : 0));
  return { spec, prompt: { ...prompt, keys } };
}

/**
 * The fewest requests that serve all policies, and the request that serves each policy. Taps are
 * shared if their parameters and candidates are equal.
 */
export function sharedTaps(
  policies: readonly CheckedSettings[],
  span: PrefillSpan,
): { readonly requests: readonly TapRequest[]; readonly places: readonly number[] } {
  const requests: TapRequest[] = [];
  const places = policies.map((policy) => {
    const wanted = tapsOf(policy, span);
    const place = requests.findIndex((known) => agree(known, wanted));
    const known = requests[place];
    if (!known) return requests.push(wanted) - 1;
    requests[place] = { ...known, spec: { ...known.spec, ...wanted.spec } };
    return place;
  });
  return { requests, places };
}

function agree(a: TapRequest, b: TapRequest): boolean {
  if ((a.prompt.keys === undefined) !== (b.prompt.keys === undefined)) return false;
  return (Object.keys(b.spec) as (keyof TapSpec)[]).every(
    (name) =>
      a.spec[name] === undefined || JSON.stringify(a.spec[name]) === JSON.stringify(b.spec[name]),
  );
}

/** A recorder per request, for a prefill into `cache`. If one of them fails, all are freed. */
export async function recordTaps(
  { gpu, decoder, variants }: LoadedModel,
  cache: KvCache,
  requests: readonly TapRequest[],
): Promise<TapRecording> {
  const shared = { cache, heads: decoder.config.heads, reduction: variants.reduction };
  const recorders: TapRecorder[] = [];
  const destroy = () => {
    for (const each of recorders) each.destroy();
  };
  try {
    for (const request of requests) {
      recorders.push(await TapRecorder.create(gpu, { ...shared, ...request }));
    }
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    notices: recorders.flatMap(({ notices }) => notices),
    afterAttention(recorder, rows) {
      for (const each of recorders) each.afterAttention(recorder, rows);
    },
    async finish() {
      try {
        const taps: Taps[] = [];
        for (const each of recorders) taps.push(await each.finish());
        return taps;
      } finally {
        destroy();
      }
    },
    destroy,
  };
}
