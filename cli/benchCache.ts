import { parseArgs } from "node:util";
import type { TapSpec } from "@/compression/taps/registry";
import type { KeepPlan } from "@/compression/types";
import { chooseVariants, type Variants } from "@/gpu/variants";
import { type Decoder, promptIds } from "@/model/decoder/decoder";
import { generate } from "@/model/decoder/generation";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import { TapRecorder } from "@/model/taps/taps";
import { median } from "@/text/stats";
import { createTestGpu } from "../test/dawn";
import { FIXTURES, type FixtureModel, loadDecoder } from "../test/decoderFixtures";

const SAMPLING = { temperature: 0, topK: 0, topP: 1, seed: 0 } as const;
const TEXT_ROWS = 24;
const KEEP = 0.1;
/** Enough for every kernel to be compiled. */
const WARM_UP_ROWS = 64;

interface Bench {
  readonly decoder: Decoder;
  readonly variants: Variants;
}

const TAPS: readonly (readonly [name: string, spec: TapSpec])[] = [
  ["window of 32", { window: { rows: 32, aggregate: "mean", kernel: 5 } }],
  ["elite", { elite: { window: "elite", alpha: 0.9, perKvHead: false } }],
  ["column sums", { columnSum: true }],
];

/**
 * The second half of `npm run bench`, on WebGPU under Node: what compaction costs in decoding steps and
 * what taps add to a prefill. Every figure is a ratio of two times of the same run.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      repeats: { type: "string", default: "3" },
      long: { type: "string", default: "4000" },
    },
  });
  const repeats = Number(values.repeats);
  const gpu = await createTestGpu();
  const isFallback = gpu.device.adapterInfo.architecture === "swiftshader";
  const variants = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  const model = FIXTURES.find(({ name }) => name === "keepsight-mini") as FixtureModel;
  const decoder = await loadDecoder(gpu, model, variants, { kvType: "f16" });
  const bench: Bench = { decoder, variants };
  line(
    `\ncache and taps, ${gpu.device.adapterInfo.architecture} under Node, ${JSON.stringify(variants)}`,
  );

  for (const rows of [600, 8000]) await benchCompaction(bench, rows, repeats);
  await benchTaps(bench, 600, repeats);
  const long = Number(values.long);
  if (long > 0) await benchTaps(bench, long, 1);
  decoder.destroy();
  gpu.device.destroy();
  return 0;
}

/** Decoding steps on a cache of `rows`, then the compaction of all its layers to a tenth. */
async function benchCompaction(bench: Bench, rows: number, repeats: number): Promise<void> {
  const { decoder } = bench;
  const steps: number[] = [];
  const compactions: number[] = [];
  await prefill(bench, decoder.createCache(), 40); // compiles, and leaves logits to draw from
  for (let run = 0; run <= repeats; run++) {
    const cache = filled(decoder, rows);
    const start = cache.rowCounts().map((layer) => layer.map(() => 0));
    const times: number[] = [];
    const args = { cache, sampling: SAMPLING, maxNewTokens: 9, stopIds: [] };
    for await (const { ms } of generate(decoder, args)) times.push(ms);
    cache.truncate(9);
    const ms = await timed(decoder, () => compact(cache, evenPlan(decoder, rows), start));
    cache.destroy();
    if (run === 0) continue; // warm-up
    steps.push(median(times.slice(1)));
    compactions.push(ms);
  }
  const ratio = median(compactions) / median(steps);
  line(
    `${rows} rows: decoding step ${spread(steps)}, compaction of all layers to ${KEEP * 100} % ` +
      `${spread(compactions)}: ${ratio.toFixed(2)} steps (${repeats} repeats)`,
  );
}

/** A prefill of `rows` without taps, then with each: what they add, the readback included. */
async function benchTaps(bench: Bench, rows: number, repeats: number): Promise<void> {
  const plain: number[] = [];
  const tapped = TAPS.map((): number[] => []);
  for (const spec of [undefined, ...TAPS.map(([, each]) => each)]) {
    await prefill(bench, bench.decoder.createCache(), WARM_UP_ROWS, spec);
  }
  for (let run = 0; run < repeats; run++) {
    plain.push(await prefill(bench, bench.decoder.createCache(), rows));
    for (const [i, [, spec]] of TAPS.entries()) {
      tapped[i]?.push(await prefill(bench, bench.decoder.createCache(), rows, spec));
    }
  }
  line(`${rows} rows: prefill ${spread(plain)} (${repeats} repeats)`);
  for (const [i, [name]] of TAPS.entries()) {
    const added = (median(tapped[i] ?? []) / median(plain) - 1) * 100;
    line(`  ${name}: ${added >= 0 ? "+" : ""}${added.toFixed(1)} %`);
  }
}

/** Prefills pseudo-random tokens and frees the cache; milliseconds, taps read back. */
async function prefill(
  { decoder, variants }: Bench,
  cache: KvCache,
  rows: number,
  spec?: TapSpec,
): Promise<number> {
  const ids = promptIds(
    Array.from({ length: rows }, (_, i) => 10 + ((i * 7919) % 700)),
    -1,
  );
  const prompt = {
    rows,
    visual: [{ start: 5, end: rows - TEXT_ROWS }],
    textStart: rows - TEXT_ROWS,
  };
  const ms = await timed(decoder, async () => {
    const { heads } = decoder.config;
    const { reduction } = variants;
    const hook =
      spec && (await TapRecorder.create(decoder.gpu, { cache, heads, spec, prompt, reduction }));
    await decoder.prefill({ cache, ids, hook });
    await hook?.finish();
  });
  cache.destroy();
  return ms;
}

/** A cache that holds `rows` rows of small pseudo-random numbers in every layer. */
function filled(decoder: Decoder, rows: number): KvCache {
  const cache = decoder.createCache();
  cache.ensureRows(rows);
  cache.append(rows);
  for (const { k, v } of cache.layers) {
    for (const buffer of [k, v]) {
      const words = Uint16Array.from(
        { length: buffer.size / 2 },
        (_, i) => 0x2c00 | ((i * 40503) & 0x3ff),
      );
      decoder.gpu.device.queue.writeBuffer(buffer, 0, words);
    }
  }
  return cache;
}

/** Every tenth row, one list for all heads. */
function evenPlan({ config }: Decoder, rows: number): KeepPlan {
  const kept = Math.round(rows * KEEP);
  const keep = [Uint32Array.from({ length: kept }, (_, i) => Math.floor(i / KEEP))];
  return { layers: Array.from({ length: config.layers }, () => ({ keep })) };
}

async function timed(decoder: Decoder, work: () => Promise<unknown>): Promise<number> {
  await decoder.gpu.device.queue.onSubmittedWorkDone();
  const started = performance.now();
  await work();
  await decoder.gpu.device.queue.onSubmittedWorkDone();
  return performance.now() - started;
}

function spread(times: readonly number[]): string {
  const [low, high] = [Math.min(...times), Math.max(...times)];
  return `${median(times).toFixed(1)} ms (${low.toFixed(1)}–${high.toFixed(1)})`;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}
