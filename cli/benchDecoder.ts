/**
 * `node cli/run.mjs benchDecoder [--rows 600] [--tokens 48] [--model NAME] [--variant software|plain|gpu]`: the decoder alone
 * on Dawn under Node, without a browser. Prints wall-clock and CPU milliseconds (on a software
 * adapter the GPU's work is CPU time of this process, which says more on a busy machine).
 */

import { parseArgs } from "node:util";
import { createMatmul, type MatmulVariant } from "@/gpu/kernels/matmul/matmul";
import { selfTest } from "@/gpu/selfTest/selfTest";
import { chooseVariants, PLAIN } from "@/gpu/variants";
import { generate } from "@/model/decoder/generation";
import { createTestGpu } from "../test/dawn";
import { FIXTURES, type FixtureModel, loadDecoder, prepare } from "../test/decoderFixtures";

const RUNS = 3;

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
  const gpu = await createTestGpu();
  const isFallback = values.variant === "software";
  const chosen = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  const variants = values.variant === "plain" ? PLAIN : chosen;
  const model = FIXTURES.find(({ name }) => name === values.model) as FixtureModel;
  const test = model.cases.find(
    ({ rows }) => rows === Number(values.rows),
  ) as FixtureModel["cases"][0];
  print("adapter", `${gpu.device.adapterInfo.architecture}, ${JSON.stringify(variants)}`);
  print("matmul", await matmulRate(gpu, variants.matmul));

  const testing = clock();
  const shape = { heads: 4, kvHeads: 2, headDim: 64 };
  const { notices } = await selfTest(gpu, variants, { dtype: "f16", kvType: "f16", shape });
  print("self-test, compilation included", [testing(), ...notices].join("; "));
  const loading = clock();
  const decoder = await loadDecoder(gpu, model, variants, { kvType: "f16" });
  print("load", loading());
  const { buffer, ...prompt } = prepare(decoder, test);
  for (let run = 0; run < RUNS; run++) {
    const cache = decoder.createCache();
    const prefill = clock();
    await decoder.prefill({ cache, ...prompt });
    print(`prefill of ${test.rows} rows`, prefill());
    const times = [];
    const decode = clock();
    const sampling = { temperature: 0, topK: 0, topP: 1, seed: 0 };
    const maxNewTokens = Number(values.tokens);
    for await (const { ms } of generate(decoder, { cache, sampling, maxNewTokens, stopIds: [] })) {
      times.push(ms);
    }
    times.sort((a, b) => a - b);
    const median = times[times.length >> 1] as number;
    print("decode", `median ${median.toFixed(1)} ms per token; all: ${decode()}`);
    cache.destroy();
  }
  gpu.memory.destroy(buffer);
  decoder.destroy();
  gpu.device.destroy();
  return 0;
}

async function matmulRate(
  gpu: Awaited<ReturnType<typeof createTestGpu>>,
  variant: MatmulVariant,
): Promise<string> {
  const [rows, depth, columns, repeats] = [256, 256, 768, 4];
  const run = await createMatmul(gpu, { variant, dtype: "f16", store: "bias" });
  const [input, weights, bias, output] = [
    rows * depth * 4,
    columns * depth * 2,
    columns * 4,
    rows * columns * 4,
  ].map((bytes) => gpu.memory.storage("activations", "bench", bytes)) as [
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
  ];
  const parts = [{ buffer: weights, firstRow: 0, rows: columns }];
  const matrix = { label: "bench", dtype: "f16" as const, rows: columns, columns: depth, parts };
  const recorder = gpu.recorder("bench", repeats);
  const rates = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < repeats; i++) run(recorder, { input, matrix, bias, output, rows });
    const start = performance.now();
    recorder.submit();
    await gpu.device.queue.onSubmittedWorkDone();
    rates.push((2 * rows * depth * columns * repeats) / (performance.now() - start) / 1e6);
  }
  for (const buffer of [input, weights, bias, output]) gpu.memory.destroy(buffer);
  recorder.destroy();
  return `${Math.max(...rates).toFixed(2)} GFLOP/s at best`;
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
