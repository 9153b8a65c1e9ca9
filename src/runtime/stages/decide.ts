import { planFor } from "@/compression/plan";
import type { VisionTaps } from "@/compression/types";
import { policyImportance } from "../report/explanation";
import { planInput, prefillSpan } from "../request/prefillSpan";
import type { EncodedSegment } from "../session/images";
import { type Decision, type Job, type Prefilled, type Segment, tellStage } from "./job";
import { readVisionTaps } from "./pruning";

/** A decision before the prefill, and what it was made by. */
export interface Choice extends Decision {
  readonly vision: VisionTaps;
}

/** The policy's decision about a prefill, by the taps that it recorded. */
export function decide(
  job: Job,
  { span, taps, vision }: Pick<Prefilled, "span" | "taps" | "vision">,
): Promise<Decision> {
  const { model, turn, progress } = job;
  const { settings, policy, options, request } = turn;
  const { scope, retention } = settings;
  tellStage(job, "plan", 0, 1);
  return progress.time("plan", () => {
    const { seed } = request.sampling;
    const input = planInput({ span, shape: model.shape, settings, taps, seed, vision });
    const plan = planFor(policy, input, options);
    if (progress.explains) progress.planned(policyImportance(plan.scores, span));
    // Rules that keep a share while decoding also count text rows; in scope `visual` text is
    // kept, so no rule runs.
    const isHeld = scope === "prompt" && retention < 1;
    return { plan, rule: isHeld ? policy.decode?.(input, plan, options) : undefined };
  });
}

/** The decision of a policy that chooses before the prefill, and what it chose by. */
export async function chooseBeforePrefill(
  job: Job,
  segment: Segment,
  encoded: EncodedSegment,
): Promise<Choice> {
  const { model, turn, progress } = job;
  const needs = turn.policy.beforePrefill ?? [];
  const vision = await progress.time("score", () =>
    readVisionTaps(model.gpu, { turn, segment }, encoded, needs),
  );
  const span = prefillSpan(turn.prompt, segment);
  return { ...(await decide(job, { span, taps: {}, vision })), vision };
}
