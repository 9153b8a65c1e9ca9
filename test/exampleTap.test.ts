import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { madeUpAttention, SMALL_PROMPT } from "@/compression/reference/promptFixture";
import { tapsFromAttention } from "@/compression/taps/registry";
import { keyPeak } from "../docs/examples/keyPeak";
import { keyPeakTap } from "../docs/examples/keyPeakTap";
import { collectKernels, describeKernels } from "./kernelSpecs";

// On the GPU it is run by src/model/taps/taps.gpu.test.ts.

/** Where the guide puts each file, imports are relative. */
it.each([
  ["keyPeak.ts", "ts", '"@/compression/taps/', '"./'],
  ["keyPeakTap.ts", "ts", '"@/model/taps/', '"../'],
  ["tap_key_peak.wgsl", "wgsl", "", ""],
])("the guide prints %s as it stands", (name, language, here, there) => {
  const guide = readFileSync("docs/adding-a-tap.md", "utf8");
  const code = readFileSync(`docs/examples/${name}`, "utf8").replaceAll(here, there);
  expect(guide).toContain(`\`\`\`${language}\n${code}\`\`\``);
});

it("finds the largest component of each key", () => {
  const input = madeUpAttention(SMALL_PROMPT);
  const taps = tapsFromAttention({ keyPeak: true }, input, { keyPeak });
  const { k, headDim } = input.keyValues!;
  const at = 17 * headDim;
  const expected = Math.max(...k.subarray(at, at + headDim).map(Math.abs));
  expect(taps.keyPeak!.data[17]).toBe(expected);
});

const { gpu, specs } = collectKernels();
const shape = {
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  kvType: "f16",
  reduction: "one",
  keys: 9,
} as const;
await keyPeakTap.prepare(gpu, shape, true);
describeKernels(specs, {}, 0);
