import type { DecodeRule } from "@/compression/types";
import { generate } from "@/model/decoder/generation";
import { joinHooks } from "@/model/decoder/hooks";
import { Eviction } from "@/model/eviction/eviction";
import { TextStream } from "@/model/prompt/textStream";
import { AnswerAttentionRecorder } from "../report/explanation";
import { fullKvBytes, withRowsEnd } from "../report/report";
import { type Job, type Prefilled, tellPhase } from "./job";

/**
 * Generates until a stop token, `maxNewTokens` or a cancellation; every emitted token has its row
 * in the cache.
 */
export async function decodeAnswer(
  job: Job,
  prefilled: Prefilled,
  rule: DecodeRule | undefined,
  maxNewTokens: number,
): Promise<void> {
  const { model, turn, progress, signal, io } = job;
  const { decoder, tokenizer, stopIds, vision } = model;
  const excludedId = vision?.markup.imageTokenId;
  const { cache } = prefilled;
  const { maxNewTokens: _, ...sampling } = turn.request.sampling;
  const { heads } = decoder.config;
  const eviction = rule && (await startEviction(prefilled, heads, rule));
  const recorder = await recordAttention(prefilled, heads, eviction, maxNewTokens);
  const hook = joinHooks([eviction, recorder?.hook].filter((each) => each !== undefined));
  const text = new TextStream(tokenizer);
  const limits = { maxNewTokens, stopIds, excludedId };
  const steps = generate(decoder, { cache, sampling, ...limits, signal, hook });
  tellPhase(job, "decode", 0, maxNewTokens);
  try {
    let step = await steps.next();
    for (; !step.done; step = await steps.next()) {
      io.check();
      const { id } = step.value;
      const ms = progress.arrive(step.value);
      const index = progress.ids.length - 1;
      const delta = stopIds.includes(id) ? "" : text.push(id);
      recorder?.arrive(text.text.length);
      io.reporter.fullKv = fullKvBytes(cache);
      io.emit({ type: "token", index, id, text: delta, ms });
    }
    progress.finish(step.value);
  } finally {
    await steps.return("cancelled");
    await eviction?.finish();
    cache.trim();
    const answer = text.text.trimEnd();
    progress.answered(answer, withRowsEnd(progress.layers, cache));
    progress.attended(await recorder?.finish(answer.length));
  }
}

/** Records the answer's attention, if an explanation was requested. */
async function recordAttention(
  { cache, firstAttention }: Prefilled,
  heads: number,
  eviction: Eviction | undefined,
  maxNewTokens: number,
): Promise<AnswerAttentionRecorder | undefined> {
  const slots = eviction?.slots;
  return (
    firstAttention &&
    AnswerAttentionRecorder.create({ cache, heads, firstAttention, maxNewTokens, slots })
  );
}

function startEviction(
  { cache, span, before, taps, firstAttention }: Prefilled,
  heads: number,
  rule: DecodeRule,
): Promise<Eviction> {
  return Eviction.create({
    cache,
    heads,
    rule,
    start: before,
    seenBefore: span.start,
    tracksSlots: firstAttention !== undefined,
    ...(taps.columnSum ? { sums: taps.columnSum } : {}),
  });
}
