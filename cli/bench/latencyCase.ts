import { type LatencyRun, timeLatency } from "@/bench/latency";
import { stepBytes } from "@/bench/stepCases";
import { median } from "@/text/stats";
import type { Bench } from "./bench";
import { type BenchedModel, loadBenched } from "./modelCases";
import { percent } from "./report";

const SHARE = 0.1;
const ROWS = [2000, 8000, 16_000, 32_000];
const BATCHES = [1, 8];
const STEPS = 12;
/** 7B with a KV head per query head, and with four KV heads. */
const MODELS = ["LLaVA-1.5-7B", "LLaVA-OneVision-7B"];
/** Latency that AirCache's paper saves at a tenth of the visual tokens, at batches of 8 and 16. */
const PAPER = "−29 to −66 %";

/** Latency per token with a tenth of the cache against the full one, and what the bytes predict. */
export async function latencyCase(bench: Bench): Promise<void> {
  const { report } = bench;
  for (const name of bench.adapter.isFallback ? ["small"] : MODELS) {
    if (!report.hasTime(`latency of ${name}`, 5)) return;
    await report.attempt(`latency of ${name}`, async () => {
      const model = await loadBenched(bench, name);
      try {
        await measure(bench, model);
      } finally {
        model.decoder.destroy();
      }
    });
  }
}

async function measure(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { report, sizes, times } = bench;
  report.line(
    `latency at ${percent(SHARE)} of the rows against all, alternating, ${sizes.repeats} repeats; ` +
      `AirCache's paper: ${PAPER} (batches of 8 and 16)`,
  );
  report.line(
    "batch  rows    full ms   10 % ms    saved  predicted  reached   (GPU; wall after it)",
  );
  for (const [batch, rows] of BATCHES.flatMap((each) =>
    ROWS.map((count) => [each, count] as const),
  )) {
    const what = `latency of ${name}, batch ${batch}, ${rows} rows`;
    if (!report.hasTime(what)) return;
    const bytes = stepBytes(decoder, rows * batch);
    if (bytes > sizes.memoryGb * 1e9) {
      report.problem(`${what}: left out, it needs ${(bytes / 1e9).toFixed(0)} GB`);
      continue;
    }
    const args = { rows, share: SHARE, batch, steps: STEPS, repeats: sizes.repeats };
    const [full, kept] = await timeLatency(decoder, args, times);
    const predicted = 1 - kept.bytes / full.bytes;
    const [gpu, wall] = [savingOf(full, kept, "gpuMs"), savingOf(full, kept, "wallMs")];
    report.add(["latency", name], { rows, batch, predicted, gpu, wall, full, kept });
    report.line(
      `${String(batch).padStart(5)} ${String(rows).padStart(5)} ` +
        `${cells(gpu)} ${percent(predicted).padStart(9)} ${reached(gpu, predicted)}   ` +
        `${cells(wall)} ${reached(wall, predicted)}`,
    );
  }
}

/** One size: what a tenth of the rows saves, and what the bytes predict. */
export interface LatencyCell {
  readonly rows: number;
  readonly batch: number;
  readonly predicted: number;
  readonly gpu: Saving;
  readonly wall: Saving;
}

interface Saving {
  readonly full: number;
  readonly kept: number;
  readonly saved: number;
}

/** Medians in milliseconds, and the share of the latency that is saved. */
function savingOf(full: LatencyRun, kept: LatencyRun, time: "gpuMs" | "wallMs"): Saving {
  const [a, b] = [median(full[time]), median(kept[time])];
  return { full: a, kept: b, saved: 1 - b / a };
}

function cells({ full, kept, saved }: Saving): string {
  return `${full.toFixed(3).padStart(9)} ${kept.toFixed(3).padStart(9)} ${percent(saved).padStart(8)}`;
}

function reached({ saved }: Saving, predicted: number): string {
  return percent(saved / predicted).padStart(8);
}
