import { describe, expect, it } from "vitest";
import { createTestScratch, randomFloats } from "../../../../test/kernels";
import { logProbability, sample } from "../../selfTest/reference";
import {
  createSampler,
  GREEDY,
  NO_ID,
  SAMPLED_WORDS,
  type SampleSettings,
  sampleSlices,
} from "./sample";

const { gpu, scratch } = await createTestScratch();

/** The kernel sums in f32. */
const TOLERANCE = 1e-4;

describe.each(["one", "workgroup", "subgroup"] as const)(
  "sample with a %s reduction",
  (reduction) => {
    /** Samples `count` ids in a row from the same logits. */
    async function sampleIds(
      values: Float32Array<ArrayBuffer>,
      settings: SampleSettings,
      count: number,
      excludedId?: number,
    ) {
      const run = await createSampler(gpu, reduction);
      const [logits, sampled] = [scratch.upload(values), scratch.empty(SAMPLED_WORDS)];
      const slices = scratch.empty(4 * sampleSlices(values.length));
      const ids = [];
      const recorder = gpu.recorder("test");
      for (let i = 0; i < count; i++) {
        run(recorder, { logits, slices, sampled, vocabulary: values.length, excludedId, settings });
        recorder.submit();
        const id = (await scratch.readWords(sampled))[0] as number;
        ids.push(id);
        if (id === NO_ID || values.some(Number.isNaN)) continue;
        const others = values.map((value, at) => (at === excludedId ? -1e30 : value));
        const told = (await scratch.readFloats(sampled))[2] as number;
        expect(Math.abs(told - logProbability(others, id))).toBeLessThan(TOLERANCE);
      }
      expect((await scratch.readWords(sampled))[1]).toBe(count);
      recorder.destroy();
      return ids;
    }

    it("takes the highest logit, the lowest id of equals, and says when there is none", async () => {
      const logits = randomFloats(1009, 1);
      expect(await sampleIds(logits, GREEDY, 1)).toEqual([sample(logits, GREEDY, 0)]);
      for (const id of [1008, 517, 530]) logits[id] = 5;
      expect(await sampleIds(logits, GREEDY, 1)).toEqual([517]);
      expect(
        await sampleIds(
          logits.map((v) => v - 100),
          GREEDY,
          1,
        ),
      ).toEqual([517]);
      expect(await sampleIds(logits.fill(Number.NaN), GREEDY, 1)).toEqual([NO_ID]);
      expect(await sampleIds(logits.fill(-Infinity), GREEDY, 1)).toEqual([NO_ID]);
    });

    it("takes the lowest of equal ids, whatever their slices, and passes over NaN and -Infinity", async () => {
      const logits = randomFloats(1009, 1);
      // 32 slices: 31 and 63 are in the last one, 32 in the first.
      for (const id of [63, 32, 31]) logits[id] = 5;
      expect(await sampleIds(logits, GREEDY, 1)).toEqual([31]);
      for (const id of [0, 63, 95, 1008]) logits[id] = Number.NaN;
      expect(await sampleIds(logits, GREEDY, 1)).toEqual([31]);
      logits.fill(-Infinity, 0, 900);
      for (const id of [63, 1008]) logits[id] = 2;
      expect(await sampleIds(logits, GREEDY, 1)).toEqual([63]);
    });

    // One slice; one that is full; the first of two; more slices than are loaded in a round.
    it.each([1, 5, 32, 33, 70_001])("samples from a vocabulary of %i", async (vocabulary) => {
      const logits = randomFloats(vocabulary, 3).map((value) => 4 * value);
      const random = { temperature: 0.8, topK: 20, topP: 0.9, seed: 5 };
      for (const settings of [GREEDY, random]) {
        const expected = [sample(logits, settings, 0)];
        expect(await sampleIds(logits, settings, 1)).toEqual(expected);
      }
    });

    it.each([
      { temperature: 1, topK: 0, topP: 1, seed: 7 },
      { temperature: 0.7, topK: 5, topP: 1, seed: 8 },
      { temperature: 1.5, topK: 0, topP: 0.6, seed: 9 },
      { temperature: 0.9, topK: 40, topP: 0.8, seed: 0xdeadbeef },
      { temperature: 1, topK: 1, topP: 0.01, seed: 10 },
    ])("samples the ids of the reference at %o", async (settings) => {
      const logits = randomFloats(1009, 2).map((value) => 4 * value);
      const expected = Array.from({ length: 6 }, (_, at) => sample(logits, settings, at));
      expect(await sampleIds(logits, settings, 6)).toEqual(expected);
    });

    it("never takes the excluded id", async () => {
      const logits = randomFloats(1009, 1);
      logits[517] = 50;
      const others = logits.map((value, id) => (id === 517 ? -1e30 : value));
      const random = { temperature: 1, topK: 5, topP: 0.9, seed: 4 };
      expect(await sampleIds(logits, GREEDY, 1, 517)).toEqual([sample(others, GREEDY, 0)]);
      const expected = Array.from({ length: 6 }, (_, at) => sample(others, random, at));
      expect(await sampleIds(logits, random, 6, 517)).toEqual(expected);
    });

    it("keeps equal logits together at the cut", async () => {
      const logits = new Float32Array(50).fill(-1).fill(2, 10, 14);
      const settings = { temperature: 1, topK: 2, topP: 1, seed: 3 };
      const ids = await sampleIds(logits, settings, 8);
      expect(ids).toEqual(ids.map((_, at) => sample(logits, settings, at)));
      expect(new Set(ids).size).toBeGreaterThan(2);
    });
  },
);
