import { describe, expect, it } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings, Turn } from "@/protocol/request";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";

const images = { a: pictureFile("busy"), b: pictureFile("second") };

function asked(settings: CacheSettings, turns: readonly Turn[]): AskRequest {
  return { turns, images, settings, sampling: greedy(6) };
}

const first: Turn = { images: ["a"], question: "What is shown in this image?" };
const second: Turn = { images: [], question: "And what is behind it?" };
const other: Turn = { images: [], question: "Which colours?" };

describe.each(["smolvlm2", "qwen2.5-vl"])("a question in place of another, %s", (name) => {
  const engine = createTestEngine(`${FAMILY_FIXTURES}/${name}`);

  const settingsOf = (policy: string, more: Partial<CacheSettings> = {}): CacheSettings => ({
    ...{ policy, retention: policy === "full" ? 1 : 0.4, scope: "visual", options: {} },
    ...more,
  });

  // Also rows of their own per head, merged rows, and rows chosen before the prefill.
  it.each([["full"], ["snapkv"], ["adakv"], ["lookm"], ["divprune"]])(
    "goes on from the turn before, as if the other had not been asked: %s",
    async (policy) => {
      const settings = settingsOf(policy);
      await engine.clear();
      const { tokenIds: answerIds } = await engine.ask(asked(settings, [first]));
      const answered = { ...first, answerIds };
      const expected = await engine.ask(asked(settings, [answered, other]));
      await engine.clear();
      await engine.ask(asked(settings, [first]));
      await engine.ask(asked(settings, [answered, second]));
      const stored = (await engine.saveCache())!;
      for (const restores of [false, true]) {
        if (restores) {
          await engine.clear();
          await engine.restoreCache(stored);
        }
        const result = await engine.ask(asked(settings, [answered, other]));
        expect(result.appended).toBe(true);
        // The full cache is cut behind what both prompts share, the beginning of the turn included.
        if (policy === "full") expect(result.promptTokens).toBeLessThan(expected.promptTokens);
        else expect(result.promptTokens).toBe(expected.promptTokens);
        expect(result.tokenIds).toEqual(expected.tokenIds);
        expect(result.layers).toEqual(expected.layers);
        expect(result.kvBytes.end).toBe(expected.kvBytes.end);
      }
    },
  );

  it("needs no prefill of the image where the full cache is stored, and one where rows were dropped", async () => {
    const question = { ...first, question: other.question };
    for (const policy of ["full", "snapkv"]) {
      const settings = settingsOf(policy);
      const expected = await engine.ask({ ...asked(settings, [question]), fresh: true });
      await engine.clear();
      await engine.ask(asked(settings, [first]));
      const stored = (await engine.saveCache())!;
      await engine.clear();
      expect(await engine.restoreCache(stored)).toBe(true);
      const result = await engine.ask(asked(settings, [question]));
      expect(result.appended).toBe(policy === "full");
      expect(result.visualTokens > 0).toBe(policy !== "full");
      expect(result.tokenIds).toEqual(expected.tokenIds);
      expect(result.layers.map(({ kept }) => kept)).toEqual(
        expected.layers.map(({ kept }) => kept),
      );
      // The same question again: all but its last token is held.
      const again = await engine.ask(asked(settings, [question]));
      expect(again.promptTokens).toBe(policy === "full" ? 1 : expected.promptTokens);
      expect(again.tokenIds).toEqual(expected.tokenIds);
      // Another image in its place.
      const about = await engine.ask(asked(settings, [{ ...question, images: ["b"] }]));
      expect(about.visualTokens).toBeGreaterThan(0);
    }
  });

  it("prefills anew after rows of earlier turns were dropped", async () => {
    const settings = settingsOf("snapkv", { earlierRetention: 0.1 });
    await engine.clear();
    const { tokenIds: answerIds } = await engine.ask(asked(settings, [first]));
    const answered = { ...first, answerIds };
    await engine.ask(asked(settings, [answered, second]));
    const result = await engine.ask(asked(settings, [answered, other]));
    expect(result.visualTokens).toBeGreaterThan(0);
  });
});
