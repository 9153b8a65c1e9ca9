import { expect, it, vi } from "vitest";
import { greedy } from "@/protocol/defaults";
import { FAMILY_FIXTURES, readFamily } from "../../test/families";
import { openNodeEngine } from "./nodeEngine";

const FULL = { policy: "full", retention: 1, scope: "visual", options: {} } as const;

/** The families' tests compare each part with PyTorch; here an image file goes through all of them. */
it("answers about a picture as PyTorch does, without a browser", async () => {
  const { directory, cases } = readFamily("smolvlm");
  const { messages, inputIds, greedyIds } = cases.find(({ images }) => images.length === 1)!;
  const [image, text] = messages[0]!.content as readonly { picture?: string; text?: string }[];
  const file = `${FAMILY_FIXTURES}/pictures/${image!.picture}.png`;
  const engine = await openNodeEngine(`${FAMILY_FIXTURES}/${directory}`, { image: file });
  const heard = vi.fn();
  await engine.load({ kvType: "f32" });
  const turns = [{ images: ["image"], question: text!.text! }];
  const sampling = greedy(greedyIds.length);
  const result = await engine.ask({ turns, settings: FULL, sampling }, heard);
  expect(result.promptTokens).toBe(inputIds.length);
  expect(result.tokenIds).toEqual(greedyIds.slice(0, result.tokenIds.length));
  expect(result.tokenIds.length).toBeGreaterThan(3);
  expect(heard).toHaveBeenCalledTimes(result.tokenIds.length);

  const lanes = [FULL, { ...FULL, policy: "streaming", retention: 0.2 }];
  const [full, less] = await engine.compare({ turns, sampling, lanes });
  expect(full!.result!.tokenIds).toEqual(result.tokenIds);
  expect(less!.result!.layers[0]).not.toEqual(full!.result!.layers[0]);
  const other = [{ images: ["other"], question: "What?" }];
  await expect(engine.ask({ turns: other, settings: FULL, sampling })).rejects.toMatchObject({
    exitCode: 1,
  });
  await engine.close();
});
