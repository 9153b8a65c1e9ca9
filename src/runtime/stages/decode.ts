import type { DecodeRule } from "@/compression/types";
import { type Finish, generate } from "@/model/decoder/generation";
import { GrowingAnswer } from "./growingAnswer";
import type { Job, Prefilled } from "./job";

/** Generates until a stop token, `maxNewTokens` or a cancellation. */
export async function decodeAnswer(
  job: Job,
  prefilled: Prefilled,
  rule: DecodeRule | undefined,
  maxNewTokens: number,
): Promise<void> {
  const answer = await GrowingAnswer.begin(job, prefilled, rule, maxNewTokens);
  const steps = generate(job.model.decoder, answer.args);
  let finish: Finish | undefined;
  try {
    let step = await steps.next();
    for (; !step.done; step = await steps.next()) answer.arrive(step.value);
    finish = step.value;
  } finally {
    await steps.return("cancelled");
    await answer.end(finish);
  }
}
