import { timeBatch } from "@/bench/batchCases";
import { median } from "@/text/stats";
import type { Bench } from "./bench";
import type { BenchedModel } from "./modelCases";

const SEQUENCES = [1, 2, 4, 8];
const SHARE = 0.1;

/** Sequences that decode together, with all rows of their caches and with a tenth. */
export async function batchCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, times, report } = bench;
  for (const rows of sizes.rows.flatMap((all) => [all, Math.round(all * SHARE)])) {
    for (const count of SEQUENCES) {
      if (!report.hasTime(`${name}, batch of ${count} at ${rows} rows`)) return;
      const measured = await timeBatch(decoder, { rows, count, steps: sizes.steps }, times);
      report.add(["models", name, "batches"], measured);
      const { wallMs, gpuMs } = measured;
      const gpu = gpuMs === undefined ? "" : `, GPU ${gpuMs.toFixed(3)} ms`;
      const rate = (count * 1000) / median(wallMs);
      report.line(
        `  ${rows} rows, ${count} together: ${median(wallMs).toFixed(3)} ms a step${gpu}, ` +
          `${rate.toFixed(0)} tokens/s`,
      );
    }
  }
}
