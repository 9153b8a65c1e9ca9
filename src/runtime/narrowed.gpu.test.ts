import { expect, it } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { LoadRequest } from "@/protocol/model";
import type { AskRequest } from "@/protocol/request";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskUrl } from "../../test/files";

const engine = createTestEngine();

const ASKED: AskRequest = {
  turns: [{ images: ["a"], question: "What is shown in this image?" }],
  images: { a: pictureFile("busy") },
  settings: { policy: "full", retention: 1, scope: "visual", options: {} },
  sampling: greedy(12),
};

/** A file in f32 whose values are exact in f16. */
async function answerAs(weightType: LoadRequest["weightType"]) {
  const baseUrl = diskUrl(`${FAMILY_FIXTURES}/smolvlm2`);
  const types = { kvType: "f32" as const, ...(weightType && { weightType }) };
  const { elementType } = await engine.load({ baseUrl, ...types });
  const { weights } = await engine.memory();
  const { tokenIds } = await engine.ask(ASKED);
  return { elementType, weights, tokenIds };
}

it("holds weights of 32 bits in f16, unless 32 bits are asked for", async () => {
  const narrowed = await answerAs(undefined);
  const wide = await answerAs("f32");
  expect([narrowed.elementType, wide.elementType]).toEqual(["f16", "f32"]);
  // Norms, biases and positions stay in f32.
  expect(narrowed.weights).toBeLessThan(0.65 * wide.weights);
  expect(narrowed.tokenIds).toEqual(wide.tokenIds);
});
