import { selfTest } from "@/gpu/selfTest/selfTest";
import { tune } from "@/gpu/selfTest/tuning";
import type { Bench } from "./bench";

const SPEC = {
  dtypes: ["f16"],
  kvType: "f16",
  shape: { heads: 32, kvHeads: 4, headDim: 64 },
} as const;

/** The search that a page makes at the first use of an adapter: what it takes, and how long. */
export async function tuneCase({ gpu, variants, report }: Bench): Promise<void> {
  const tested = await selfTest(gpu, variants, SPEC);
  const started = performance.now();
  const tuned = await tune(gpu, tested, SPEC);
  const ms = performance.now() - started;
  report.set(["tuning"], { ms, before: tested.variants, after: tuned.variants });
  report.line(`tuning took ${ms.toFixed(0)} ms: ${JSON.stringify(tuned.variants)}`);
}
