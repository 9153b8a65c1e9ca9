import { describe, expect, it } from "vitest";
import { coarser } from "@/compression/blocks/grid";
import { POLICIES } from "@/compression/registry";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings, Turn } from "@/protocol/request";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";

const IDS = POLICIES.filter(({ beforePrefill }) => beforePrefill).map(({ id }) => id);
const QUESTION = "What is shown in this image?";
const settingsOf = (policy: string): CacheSettings => ({
  policy,
  retention: 0.4,
  scope: "visual",
  options: {},
});

function asked(turns: readonly Turn[], settings: CacheSettings): AskRequest {
  return {
    turns,
    images: { a: pictureFile("busy") },
    settings,
    sampling: greedy(6),
    explain: true,
  };
}

describe.each(["smolvlm2", "llava-next-mistral", "qwen2.5-vl"])("%s", (name) => {
  const engine = createTestEngine(`${FAMILY_FIXTURES}/${name}`);

  const first = { images: ["a"], question: QUESTION };

  it.each(IDS)("%s computes only the rows that it keeps, alone and in a comparison", async (id) => {
    await engine.clear();
    const result = await engine.ask({ ...asked([first], settingsOf(id)), reference: true });
    const { layers, visualTokens, promptTokens, images, tokenIds: answerIds } = result;
    const kept = layers[0]!.kept;
    const text = promptTokens - visualTokens;
    for (const layer of layers) expect(layer.kept).toEqual(kept);
    expect(layers[0]!.rowsBefore).toBe(promptTokens);
    expect(kept.length).toBeLessThanOrEqual(promptTokens);
    if (id !== "pixelprune") expect(kept.length).toBeLessThanOrEqual(text + 0.4 * visualTokens + 1);
    const isVisual = (position: number) =>
      images.some(({ tiles }) =>
        tiles.some(({ firstPosition, gridRows, gridColumns }) => {
          const place = position - firstPosition;
          return place >= 0 && place < gridRows * gridColumns;
        }),
      );
    expect(kept.filter((position) => !isVisual(position)).length).toBe(text);
    const { layers: planned } = await engine.preview(settingsOf(id));
    expect(planned[0]!.kept).toEqual(kept);

    const second = { images: [], question: "And what is behind it?" };
    const turns = [{ ...first, answerIds }, second];
    const next = await engine.ask(asked(turns, settingsOf(id)));
    expect(next.appended).toBe(true);

    const lanes = [settingsOf("full"), settingsOf(id)].map((lane, i) =>
      i === 0 ? { ...lane, retention: 1 } : lane,
    );
    const { settings: _, ...question } = asked([first], settingsOf(id));
    const [full, lane] = await engine.compare({ ...question, lanes });
    expect(lane!.result!.tokenIds).toEqual(answerIds);
    expect(lane!.result!.layers.map((layer) => layer.kept)).toEqual(
      layers.map((layer) => layer.kept),
    );
    const whole = await engine.ask({ ...asked([first], lanes[0]!), fresh: true });
    expect(full!.result!.tokenIds).toEqual(whole.tokenIds);
    expect(result.reference).toMatchObject({ source: "prefill" });
    expect(result.reference).toHaveProperty("result.tokenIds", whole.tokenIds);
  });

  it("downsample has the encoder encode smaller images, where it takes them", async () => {
    const takes = name !== "llava-next-mistral";
    const byRows = settingsOf("downsample");
    const byEncoder = { ...byRows, options: { by: "encoder" } };
    await engine.clear();
    const result = await engine.ask(asked([first], byEncoder));
    const averaged = result.notices.filter(
      (notice) => typeof notice !== "string" && notice.code === "rowsAveraged",
    );
    expect(averaged).toHaveLength(takes ? 0 : 1);
    const { settings: _, ...question } = asked([first], byEncoder);
    const [encoded, pooled] = await engine.compare({ ...question, lanes: [byEncoder, byRows] });
    expect(encoded!.result!.tokenIds).toEqual(result.tokenIds);
    const keptBy = ({ layers, images, promptTokens, visualTokens }: typeof result) => {
      const tiles = images.flatMap((image) => image.tiles);
      return [layers[0]!.kept.length - (promptTokens - visualTokens), tiles] as const;
    };
    if (!takes) {
      return expect(result.layers).toEqual(pooled!.result!.layers);
    }
    const [visual, tiles] = keptBy(result);
    const { gridRows, gridColumns } = tiles[0]!;
    const side = Math.floor(gridRows * Math.sqrt(0.4));
    const [down, across] =
      name === "smolvlm2" ? [side, side] : coarser({ gridRows, gridColumns }, 0.4);
    expect(visual).toBe(tiles.length * down * across);
    expect(result.tokenIds).not.toEqual(pooled!.result!.tokenIds);
  });
});

describe("under a cap", () => {
  const engine = createTestEngine(`${FAMILY_FIXTURES}/smolvlm2`);

  const first = { images: ["a"], question: QUESTION };

  it.each(IDS)("%s needs room for the rows that it chooses alone", async (id) => {
    const settings = { ...settingsOf(id), retention: 0.2 };
    await engine.clear();
    const free = await engine.ask(asked([first], settings));
    const needed = async (given: CacheSettings) => {
      const request = { ...asked([first], { ...given, capMb: 1e-3 }), fresh: true };
      const { failure } = await engine.ask(request).catch((error) => error);
      expect(failure).toMatchObject({ code: "capTooSmall" });
      return failure.neededMb as number;
    };
    const capMb = await needed(settings);
    // This picture has no equal patches.
    const whole = await needed({ ...settingsOf("full"), retention: 1 });
    if (id !== "pixelprune") expect(capMb).toBeLessThan(whole);
    const capped = { ...settings, capMb };
    const least = await engine.ask({ ...asked([first], capped), fresh: true });
    // What was named is enough to begin; the answer may end early.
    expect(least.tokenIds).toEqual(free.tokenIds.slice(0, least.tokenIds.length));
    expect(least.kvBytes.peak).toBeLessThanOrEqual(capMb * 1e6);
    expect(least.layers.map(({ kept }) => kept)).toEqual(free.layers.map(({ kept }) => kept));

    // A second image: rows of the first give way.
    const turns = [{ ...first, answerIds: least.tokenIds }, first];
    const more = { ...settings, capMb: 2 * capMb };
    const next = await engine.ask(asked(turns, more));
    expect(next.kvBytes.peak).toBeLessThanOrEqual(more.capMb * 1e6);
    expect(next.tokenIds.length).toBeGreaterThan(0);
    const again = await engine.ask({ ...asked(turns, more), fresh: true });
    expect(again.kvBytes.peak).toBeLessThanOrEqual(more.capMb * 1e6);
  });
});
