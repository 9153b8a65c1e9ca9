import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type ResampleFilter, resample } from "@/images/resample";
import { DEFAULT_SETTINGS, greedy } from "@/protocol/defaults";
import { EngineError } from "@/protocol/failure";
import type { TurnResult } from "@/protocol/result";
import { LocalEngine } from "@/runtime/engine";
import { dawn } from "../../cli/shared/dawn";
import { readPng } from "../../cli/shared/png";
import { Directory } from "./directory";
import { HOSTILE_FAMILIES } from "./hostileFamilies";

const PICTURE = "fixtures/families/pictures/busy.png";
const SENTENCE = /^[A-Z].{10,350}\.$/s;

// Node decodes no images; the size is asked for and the pixels are scaled as in the browser.
vi.mock("@/images/decode", () => ({
  decodeImage: async (
    _: Blob,
    sizeFor: (width: number, height: number) => readonly [number, number],
    filter: ResampleFilter,
  ) => {
    const { data, width, height } = readPng(PICTURE);
    const size = sizeFor(width, height);
    const pixels = resample(data, [width, height], size, filter);
    return {
      pixels: { data: pixels, width: size[0], height: size[1] },
      width,
      height,
      notices: [],
    };
  },
}));

const engine = new LocalEngine();
beforeAll(() => vi.stubGlobal("navigator", { gpu: dawn }));
afterAll(() => vi.unstubAllGlobals());

async function answer(directory: Directory): Promise<TurnResult> {
  const files = new Map([...directory.files].map(([name, bytes]) => [name, new Blob([bytes])]));
  await engine.load({ baseUrl: "http://directory.test/", files });
  const seesImages = directory.text("config.json").includes("vision_config");
  return engine.ask({
    turns: [{ images: seesImages ? ["a"] : [], question: "What is 1 < 2?" }],
    images: seesImages ? { a: new Blob(["a"]) } : {},
    settings: { ...DEFAULT_SETTINGS, policy: "full" },
    sampling: greedy(4),
  });
}

it.each([...new Set(HOSTILE_FAMILIES.map(({ family }) => family))])(
  "%s answers unchanged",
  async (family) => {
    expect(
      (await answer(new Directory(`fixtures/families/${family}`))).tokenIds.length,
    ).toBeGreaterThan(0);
  },
);

it.each(HOSTILE_FAMILIES)(
  "$family, $name",
  async ({ family, change, refused }) => {
    const directory = new Directory(`fixtures/families/${family}`);
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
