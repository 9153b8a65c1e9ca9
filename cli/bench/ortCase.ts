import { compareWithOrt } from "@/bench/onnx/compareOrt";
import { median } from "@/text/stats";
import type { Bench } from "./bench";
import type { BenchedModel } from "./modelCases";
import { nodeOrt } from "./ortNode";

/** A file of ONNX cannot be larger: its weights in f32, as adapters without f16 need them. */
const MOST_PARAMETERS = 2 ** 31 / 4;

/** The same weights in ONNX Runtime Web on the same device, in turns with ours. */
export async function ortCase(bench: Bench, { name, decoder }: BenchedModel): Promise<void> {
  const { sizes, times, report } = bench;
  if (decoder.weights.parameters > MOST_PARAMETERS) {
    return report.problem(`${name}, ort: left out, its weights are too large for one ONNX file`);
  }
  if (!report.hasTime(`${name}, ort`, 5)) return;
  const measured = await compareWithOrt(nodeOrt(), decoder, sizes, times);
  report.set(["models", name, "ort"], measured);
  const { ids } = measured;
  const equal = ids.ours.findIndex((id, at) => id !== ids.ort[at]);
  const same = equal < 0 ? ids.ours.length : equal;
  report.line(
    `  ONNX Runtime in ${measured.type}: its first ${same} of ${ids.ours.length} greedy tokens are ours`,
  );
  for (const { rows, ours, ort } of measured.prefill) {
    report.set(["ratios", "prefillVsOrt", name, `${rows}`], median(ort) / median(ours));
    report.line(`  prefill of ${rows} rows: ${against(median(ours), median(ort))}`);
  }
  for (const [at, { rows, ours, ort }] of measured.decode.entries()) {
    report.set(["ratios", "decodeVsOrt", name, `${rows}`], median(ort) / median(ours));
    const gpu = measured.gpu[at];
    if (gpu) {
      report.set(["ratios", "decodeVsOrtGpu", name, `${rows}`], gpu.ort / gpu.ours);
    }
    const onGpu = gpu ? `; on the GPU ${against(gpu.ours, gpu.ort)}` : "";
    report.line(`  ${rows} rows, a token: ${against(median(ours), median(ort))}${onGpu}`);
  }
}

function against(ours: number, ort: number): string {
  return `${ours.toFixed(3)} ms, ONNX Runtime ${ort.toFixed(3)} ms (${(ort / ours).toFixed(2)} ×)`;
}
