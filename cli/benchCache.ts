import { parseArgs } from "node:util";
import { timeCompaction, timeTaps } from "@/bench/cacheCases";
import { loadFixtureDecoder } from "@/bench/fixture";
import { chooseVariants } from "@/gpu/variants";
import type { Decoder } from "@/model/decoder/decoder";
import { median } from "@/text/stats";
import { createNodeGpu } from "./dawn";
import { diskSource } from "./disk";

const MODEL = "public/models/keepsight-mini";
const KEEP = 0.1;

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
  const gpu = await createNodeGpu();
  const { architecture } = gpu.device.adapterInfo;
  const isFallback = architecture === "swiftshader";
  const variants = chooseVariants({ isFallback, hasSubgroups: gpu.features.subgroups });
  const decoder = await loadFixtureDecoder(gpu, diskSource(MODEL), variants, { kvType: "f16" });
  line(`\ncache and taps, ${architecture} under Node, ${JSON.stringify(variants)}`);

  for (const rows of [600, 8000]) await benchCompaction(decoder, rows, repeats);
  const benchTaps = async (rows: number, runs: number) => {
    printTaps(rows, await timeTaps(decoder, variants.reduction, { rows, repeats: runs }));
  };
  await benchTaps(600, repeats);
  const long = Number(values.long);
  if (long > 0) await benchTaps(long, 1);
  decoder.destroy();
  gpu.device.destroy();
  return 0;
}

async function benchCompaction(decoder: Decoder, rows: number, repeats: number): Promise<void> {
  const { steps, compactions } = await timeCompaction(decoder, { rows, keep: KEEP, repeats });
  const ratio = median(compactions) / median(steps);
  line(
    `${rows} rows: decoding step ${spread(steps)}, compaction of all layers to ${KEEP * 100} % ` +
      `${spread(compactions)}: ${ratio.toFixed(2)} steps (${repeats} repeats)`,
  );
}

function printTaps(rows: number, { plain, tapped }: Awaited<ReturnType<typeof timeTaps>>): void {
  line(`${rows} rows: prefill ${spread(plain)} (${plain.length} repeats)`);
  for (const [name, times] of Object.entries(tapped)) {
    const added = (median(times) / median(plain) - 1) * 100;
    line(`  ${name}: ${added >= 0 ? "+" : ""}${added.toFixed(1)} %`);
  }
}

function spread(times: readonly number[]): string {
  const [low, high] = [Math.min(...times), Math.max(...times)];
  return `${median(times).toFixed(1)} ms (${low.toFixed(1)}–${high.toFixed(1)})`;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}
