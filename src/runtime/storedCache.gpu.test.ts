import { describe, expect, it } from "vitest";
import { POLICIES } from "@/compression/registry";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings, Turn } from "@/protocol/request";
import { createTestEngine } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskUrl } from "../../test/files";

const MODEL = `${FAMILY_FIXTURES}/llama`;
const baseUrl = diskUrl(MODEL);

function asked(settings: CacheSettings, earlier: readonly Turn[], question: string): AskRequest {
  return {
    turns: [...earlier, { images: [], question }],
    images: {},
    settings,
    sampling: greedy(8),
  };
}

/** Also policies with own rows per head, that merge, that evict while decoding, that rotate keys. */
const CHOSEN = ["full", "snapkv", "adakv", "lookm", "streaming", "elastic", "h2o"];

describe("a stored cache", () => {
  const engine = createTestEngine(MODEL);

  it.each([
    ...CHOSEN.map((id) => [id, undefined] as const),
    ["lookm", "q8"] as const,
    ["h2o", "q4"] as const,
  ])("goes on as if nothing had happened, after %s, cache type %s", async (id, kvType) => {
    if (kvType) await engine.load({ baseUrl, kvType });
    expect(POLICIES.map((policy) => policy.id)).toContain(id);
    const settings: CacheSettings = { policy: id, retention: 0.4, scope: "prompt", options: {} };
    const first = "one two three four five six seven eight nine ten ".repeat(8);
    const { tokenIds: answerIds } = await engine.ask(asked(settings, [], first));
    const kept = await engine.saveCache();
    const turns = [{ images: [], question: first, answerIds }];
    const next = asked(settings, turns, "and what then?");
    const expected = await engine.ask(next);
    expect(expected.appended).toBe(true);

    await engine.clear();
    expect(await engine.saveCache()).toBeUndefined();
    expect(await engine.restoreCache(kept!)).toBe(true);
    const result = await engine.ask(next);
    expect(result.appended, "no prefill of the first turn").toBe(true);
    expect(result.tokenIds).toEqual(expected.tokenIds);
    expect(result.kvBytes).toEqual(expected.kvBytes);
    expect(result.layers).toEqual(expected.layers);
    if (kvType) await engine.load({ baseUrl });
  });

  it("is refused after other weights, another cache type, or damage, and changes nothing", async () => {
    const settings: CacheSettings = { policy: "full", retention: 1, scope: "prompt", options: {} };
    const { tokenIds: answerIds } = await engine.ask(asked(settings, [], "one two"));
    const kept = (await engine.saveCache())!;
    const flipped = new Uint8Array(await kept.arrayBuffer());
    flipped[flipped.length - 5]! ^= 1;
    for (const damaged of [
      new Blob([flipped]),
      new Blob([kept, "x"]),
      kept.slice(0, kept.size - 1),
      kept.slice(1),
      new Blob(["{}"]),
      new Blob(),
    ]) {
      expect(await engine.restoreCache(damaged)).toBe(false);
    }
    const turns = [{ images: [], question: "one two", answerIds }];
    expect((await engine.ask(asked(settings, turns, "three"))).appended).toBe(true);

    const { kvType } = await engine.load({ baseUrl });
    await engine.load({ baseUrl, kvType: kvType === "f16" ? "f32" : "f16" });
    expect(await engine.restoreCache(kept)).toBe(false);
    await engine.load({ baseUrl, weightType: "q8" });
    expect(await engine.restoreCache(kept)).toBe(false);
    await engine.load({ baseUrl, revision: "another" });
    expect(await engine.restoreCache(kept)).toBe(false);
  });
});
