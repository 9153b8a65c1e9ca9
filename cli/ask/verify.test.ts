import { expect, it } from "vitest";
import { compareIds, describeVerification, type VerifyDocument, verify } from "./verify";

const document = (answer: readonly number[]): VerifyDocument => {
  const prompt = compareIds([1, 2], [1, 2]);
  const compared = compareIds([7, 8, 9], answer);
  return {
    ...({
      adapter: {},
      model: "m",
      elementType: "bf16",
      kvType: "f32",
    } as unknown as VerifyDocument),
    ...{ prompt, answer: compared, smallestMargin: 0.01, same: compared.same },
  };
};

it("counts the ids before the first difference", () => {
  expect(compareIds([1, 2, 3], [1, 2, 3])).toMatchObject({ equal: 3, same: true });
  expect(compareIds([1, 2, 3], [1, 5, 3])).toMatchObject({ equal: 1, same: false });
  expect(compareIds([1, 2, 3], [1, 2])).toMatchObject({ equal: 2, same: false });
  expect(compareIds([1], [1, 2])).toMatchObject({ equal: 1, same: false });
});

it("says what is the same, and how close PyTorch's choice was", () => {
  expect(describeVerification(document([7, 8, 9]))).toContain("runs here as in PyTorch");
  const other = describeVerification(document([7, 1, 9]));
  expect(other).toContain("Answer: the first 1 of 3 ids");
  expect(other).toContain("0.01 apart");
});

it("needs a directory with a recording", async () => {
  await expect(verify(["--verify"])).rejects.toThrow("needs --model");
  await expect(verify(["--verify", "--model", "nowhere"])).rejects.toThrow("no model directory");
  const model = ["--model", "fixtures/families/llama"];
  await expect(verify(["--verify", ...model])).rejects.toThrow("has no recorded.json");
  await expect(verify(["--verify", ...model, "--kv-type", "q8"])).rejects.toThrow("f16 or f32");
  await expect(verify(["--verify", ...model, "--image", "x"])).rejects.toThrow("--image");
});
