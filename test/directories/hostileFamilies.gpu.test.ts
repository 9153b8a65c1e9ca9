import { expect, it } from "vitest";
import { DEFAULT_SETTINGS, greedy } from "@/protocol/defaults";
import { EngineError } from "@/protocol/failure";
import type { TurnResult } from "@/protocol/result";
import { createTestEngine, pictureFile } from "../engine";
import { FAMILY_FIXTURES } from "../families";
import { Directory } from "./directory";
import { HOSTILE_FAMILIES } from "./hostileFamilies";

const SENTENCE = /^[A-Z].{10,350}\.$/s;

const engine = createTestEngine();

async function answer(directory: Directory): Promise<TurnResult> {
  await engine.load({ baseUrl: "http://directory.test/", files: directory.blobs });
  const seesImages = directory.text("config.json").includes("vision_config");
  return engine.ask({
    turns: [{ images: seesImages ? ["a"] : [], question: "What is 1 < 2?" }],
    images: seesImages ? { a: pictureFile("busy") } : {},
    settings: { ...DEFAULT_SETTINGS, policy: "full" },
    sampling: greedy(4),
  });
}

it.each([...new Set(HOSTILE_FAMILIES.map(({ family }) => family))])(
  "%s answers unchanged",
  async (family) => {
    expect(
      (await answer(new Directory(`${FAMILY_FIXTURES}/${family}`))).tokenIds.length,
    ).toBeGreaterThan(0);
  },
);

it.each(HOSTILE_FAMILIES)(
  "$family, $name",
  async ({ family, change, refused }) => {
    const directory = new Directory(`${FAMILY_FIXTURES}/${family}`);
    change(directory);
    const outcome = await answer(directory).catch((error: unknown) => error);
    if (!refused) return expect((outcome as TurnResult).tokenIds.length).toBeGreaterThan(0);
    expect(outcome).toBeInstanceOf(EngineError);
    const { code, message } = (outcome as EngineError).failure;
    expect(["badModel", "missingFile", "unknownArchitecture", "contextOverflow"]).toContain(code);
    expect(message).toMatch(refused);
    expect(message).toMatch(SENTENCE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(message).not.toMatch(/[\x00-\x1f\u202a-\u202e]/);
  },
  20_000,
);
