import fs from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { DEFAULT_SETTINGS, greedy } from "@/protocol/defaults";
import { EngineError, type FailureCode } from "@/protocol/failure";
import type { TurnResult } from "@/protocol/result";
import { createTestEngine } from "../engine";
import { Directory } from "./directory";
import { HOSTILE } from "./hostile";

/** Failures that name a defect of the directory. */
const CODES: readonly FailureCode[] = ["badModel", "missingFile", "unknownArchitecture"];
/** A sentence of ours: it begins with a capital letter, ends with a full stop, and is of readable length. */
const SENTENCE = /^[A-Z].{10,350}\.$/s;
const SAMPLING = greedy(4);

const engine = createTestEngine();
let expected: readonly number[] = [];

/** ONNX Runtime's wasm file is not served here; on a GPU the encoder is our own in any case. */
async function answer(directory: Directory): Promise<TurnResult> {
  directory.remove("onnx/vision_encoder.onnx");
  await engine.load({ baseUrl: "http://directory.test/", files: directory.blobs });
  const turns = [{ images: [], question: "What is 1 < 2?" }];
  return engine.ask({
    turns,
    images: {},
    settings: { ...DEFAULT_SETTINGS, policy: "full" },
    sampling: SAMPLING,
  });
}

beforeAll(async () => {
  expected = (await answer(new Directory())).tokenIds;
  expect(expected).toHaveLength(4);
});

it("there are a hundred of them, each with a name of its own", () => {
  expect(new Set(HOSTILE.map(({ name }) => name)).size).toBe(HOSTILE.length);
  expect(HOSTILE.length).toBeGreaterThanOrEqual(100);
});

it.each(HOSTILE)(
  "$name",
  async ({ change, refused }) => {
    const directory = new Directory();
    change(directory);
    const outcome = await answer(directory).catch((error: unknown) => error);
    if (!refused) return expect(outcome).toMatchObject({ tokenIds: expected });
    expect(outcome).toBeInstanceOf(EngineError);
    const { failure } = outcome as EngineError;
    expect(failure).toMatchObject({
      code: expect.any(String),
      message: expect.stringMatching(refused),
    });
    expect(CODES).toContain(failure.code);
    expect(failure.message).toMatch(SENTENCE);
  },
  20_000,
);

/** Every family, and the model of the page: what is checked at load refuses none of them. */
it.each([
  "public/models/keepsight-mini",
  ...fs
    .readdirSync("fixtures/families", { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() && fs.existsSync(`fixtures/families/${entry.name}/config.json`),
    )
    .map(({ name }) => `fixtures/families/${name}`),
])("%s is loaded, and answers", async (folder) => {
  expect((await answer(new Directory(folder))).tokenIds.length).toBeGreaterThan(0);
});

it("the next good directory answers", async () => {
  expect((await answer(new Directory())).tokenIds).toEqual(expected);
});
