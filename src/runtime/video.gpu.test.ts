import { beforeAll, describe, expect, it } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings } from "@/protocol/request";
import { readPng } from "../../cli/shared/png";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskUrl } from "../../test/files";

const PICTURES = ["busy", "second", "wide"];

const FULL: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };

/** A video of three frames. */
function asked(settings: CacheSettings, more: Partial<AskRequest> = {}): AskRequest {
  const keys = ["a", "b", "c"];
  const frame = (i: number) => ({ video: "v", seconds: 2 * i, duration: 6 });
  const blobs = PICTURES.map(pictureFile);
  return {
    turns: [{ images: keys, question: "What happens?" }],
    images: Object.fromEntries(keys.map((key, i) => [key, blobs[i]!])),
    frames: Object.fromEntries(keys.map((key, i) => [key, frame(i)])),
    settings,
    sampling: greedy(4),
    promptIds: true,
    ...more,
  };
}

/**
 * Rows of a video of three frames with `side` rows along a tile: LLaVA-OneVision halves sides and ends by a newline
 * row, Qwen-VL takes two frames as one, in the size of the first.
 */
describe.each([
  ["smolvlm2", (side: number) => 3 * side ** 2],
  ["internvl3", (side: number) => 3 * side ** 2],
  ["llava-onevision", (side: number) => 3 * Math.ceil(side / 2) ** 2 + 1],
  ["qwen2-vl", () => 4 * 6 + 2 * 12],
  ["qwen2.5-vl", () => 4 * 7 + 2 * 13],
  ["qwen3-vl", () => 2 * 3 + 1 * 6],
] as const)("a video in %s", (name, rowsOf) => {
  const pairs = name.startsWith("qwen");
  const engine = createTestEngine();
  let side = 0;
  beforeAll(async () => {
    const { rowsPerTile = 0 } = await engine.load({
      baseUrl: diskUrl(`${FAMILY_FIXTURES}/${name}`),
    });
    side = Math.sqrt(rowsPerTile);
  });

  it("is one tile per frame, in the order of the frames, and costs what was told", async () => {
    const result = await engine.ask(asked(FULL));
    expect(result.visualTokens).toBe(rowsOf(side));
    const shown = result.images.map(({ image, alsoShows = [] }) => [image, ...alsoShows].join(""));
    expect(shown).toEqual(pairs ? ["ab", "c"] : ["a", "b", "c"]);
    const { frames } = asked(FULL);
    const priced = PICTURES.map((picture, i) => {
      const { width, height } = readPng(`${FAMILY_FIXTURES}/pictures/${picture}.png`);
      return { width, height, frame: frames!["abc"[i]!]! };
    });
    const { tokens } = await engine.priceImages(priced);
    const text = asked(FULL, { turns: [{ images: [], question: "What happens?" }], fresh: true });
    const alone = await engine.ask(text);
    expect(result.promptTokens - alone.promptTokens).toBe(tokens);

    const { frames: _, ...images } = asked(FULL, { fresh: true });
    const still = await engine.ask(images);
    expect(still.promptIds, "as images it is another prompt").not.toEqual(result.promptIds);
  });

  it("is compressed as it arrives, under the cap that a refusal names", async () => {
    const settings = { ...FULL, policy: "snapkv", retention: 0.3 };
    const asking = (capMb: number) => engine.ask(asked({ ...settings, capMb }, { fresh: true }));
    const { failure } = await asking(1e-3).catch((error) => error);
    expect(failure).toMatchObject({ code: "capTooSmall" });
    const capMb = failure.neededMb as number;
    const result = await asking(capMb);
    expect(result.kvBytes.peak).toBeLessThanOrEqual(capMb * 1e6);
    expect(result.tokenIds.length).toBeGreaterThan(0);
    const [turn] = asked(settings).turns;
    const turns = [
      { ...turn!, answerIds: result.tokenIds },
      { images: [], question: "And then?" },
    ];
    const next = await engine.ask(asked({ ...settings, capMb: 3 * capMb }, { turns }));
    expect(next.kvBytes.peak).toBeLessThanOrEqual(3 * capMb * 1e6);
  });
});
