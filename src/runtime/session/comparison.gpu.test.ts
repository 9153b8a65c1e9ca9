import { afterEach, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
import { Decoder } from "@/model/decoder/decoder";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, CacheSettings } from "@/protocol/request";
import { createTestEngine, pictureFile } from "../../../test/engine";
import { FAMILY_FIXTURES } from "../../../test/families";

const engine = createTestEngine(`${FAMILY_FIXTURES}/llava-1.5`);
afterEach(() => vi.restoreAllMocks());

const settings = (policy: string): CacheSettings => {
  return { policy, retention: 0.5, scope: "prompt", options: {} };
};

it.each(["fails", "is stopped"])(
  "leaves no first lane to go on from if it %s at its own prefill",
  async (how) => {
    const { prefill } = Decoder.prototype;
    let prefills = 0;
    vi.spyOn(Decoder.prototype, "prefill").mockImplementation(async function (this: Decoder, args) {
      if (++prefills === 2 && how === "fails") throw new OutOfMemoryError("a test", 8, 4);
      if (prefills === 2) void engine.cancel();
      return prefill.call(this, args);
    });
    const question: AskRequest = {
      turns: [{ images: ["a"], question: "What is shown in this image?" }],
      images: { a: pictureFile("busy") },
      settings: settings("divprune"),
      sampling: greedy(6),
    };
    const lanes = [question.settings, settings("knorm")];
    const [first] = await engine.compare({ ...question, lanes });
    vi.restoreAllMocks();
    expect(first!.failure?.code ?? first!.result?.finish).toBe(
      how === "fails" ? "outOfMemory" : "cancelled",
    );
    const turns = [
      { ...question.turns[0]!, answerIds: [] },
      { images: [], question: "Why?" },
    ];
    expect(await engine.ask({ ...question, turns })).toMatchObject({ appended: false });
  },
);
