import { type Finish, generate } from "@/model/decoder/generation";
import { type AnswerInput, GrowingAnswer } from "./growingAnswer";
import type { Job } from "./job";

/** Generates until a stop token, `maxNewTokens`, a cache without room, or a cancellation. */
export async function decodeAnswer(job: Job, input: AnswerInput): Promise<void> {
  const answer = await GrowingAnswer.begin(job, input);
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
