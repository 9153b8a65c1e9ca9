/**
 * `node cli/run.mjs benchDecoder [--rows 600] [--tokens 48] [--model NAME] [--variant
 * software|plain|gpu]`: the decoder alone on Dawn under Node, without a browser. Prints wall-clock
 * and CPU milliseconds (on a software adapter the GPU's work is CPU time of this process, which is
 * more reliable on a busy machine).
 */

import fs from "node:fs";
import { parseArgs } from "node:util";
import { matmulRate, timeAnswer } from "@/bench/decoderCases";
import { type FixturePrompt, loadFixtureDecoder, uploadPrompt } from "@/bench/fixture";
import { selfTest } from "@/gpu/selfTest/selfTest";
import { chooseVariants, PLAIN } from "@/gpu/variants";
import { noticeInEnglish } from "@/language/noticeSentence";
import { median } from "@/text/stats";
import { createNodeGpu } from "./dawn";
import { diskSource } from "./disk";
import { inputError } from "./options";

const FIXTURES = "fixtures/decoder/index.json";
const RUNS = 3;

interface Model {
  readonly name: string;
  readonly path: string;
  readonly cases: readonly (FixturePrompt & { readonly rows: number })[];
}

export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: "string", default: "keepsight-mini" },
      rows: { type: "string", default: "600" },
      tokens: { type: "string", default: "48" },
      variant: { type: "string", default: "software" },
    },
  });
  const { path, prompt } = findPrompt(values.model, Number(values.rows));
  const gpu = await createNodeGpu();
  const isFallback = values.variant === "software";
  const chosen = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  const variants = values.variant === "plain" ? PLAIN : chosen;
  print("adapter", `${gpu.device.adapterInfo.architecture}, ${JSON.stringify(variants)}`);
  const rate = await matmulRate(gpu, variants.matmul);
  print("matmul", `${rate.toFixed(2)} GFLOP/s at best`);

  const testing = clock();
  const shape = { heads: 4, kvHeads: 2, headDim: 64 };
  const { notices } = await selfTest(gpu, variants, { dtypes: ["f16"], kvType: "f16", shape });
  print("self-test, compilation included", [testing(), ...notices.map(noticeInEnglish)].join("; "));
  const loading = clock();
  const decoder = await loadFixtureDecoder(gpu, diskSource(path), variants, { kvType: "f16" });
  print("load", loading());
  const { buffer, ...uploaded } = uploadPrompt(decoder, prompt);
  for (let run = 0; run < RUNS; run++) {
    const times = await timeAnswer(decoder, uploaded, Number(values.tokens), clock);
    print(`prefill of ${values.rows} rows`, times.prefill);
    print("decode", `median ${median(times.steps).toFixed(1)} ms per token; all: ${times.decode}`);
  }
  gpu.memory.destroy(buffer);
  decoder.destroy();
  gpu.device.destroy();
  return 0;
}

function findPrompt(name: string, rows: number) {
  const models: readonly Model[] = JSON.parse(fs.readFileSync(FIXTURES, "utf8")).models;
  const model = models.find((each) => each.name === name);
  const prompt = model?.cases.find((each) => each.rows === rows);
  if (!model || !prompt)
    throw inputError(`${FIXTURES} has no ${name} with a prompt of ${rows} rows.`);
  return { path: model.path, prompt };
}

function clock(): () => string {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const used = process.cpuUsage(cpu);
    const cpuMs = (used.user + used.system) / 1000;
    return `${(performance.now() - start).toFixed(0)} ms (${cpuMs.toFixed(0)} ms of CPU)`;
  };
}

function print(name: string, text: string): void {
  process.stdout.write(`${name}: ${text}\n`);
}
