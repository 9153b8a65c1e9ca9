import type { AnswerAttention, ImageLayout, LayerReport } from "@/protocol/result";
import { alignedWords } from "@/text/agreement";
import type { ChatState } from "../chat/chatState";
import {
  type Attempt,
  type ChatConversation,
  type Exchange,
  standingResult,
} from "../conversation/conversation";
import { fullReference } from "../conversation/verdict";
import type { LayerChoice } from "../settings/settings";
import { attendedRows, attentionOfRow, attentionOfSteps, lightOf, sinkRows } from "./attention";
import type { RestingWord } from "./attentionView";
import type { Importance } from "./heat";
import { stepsOfWords, wordsIn } from "./words";

/** A word's attention, as the viewer shows it. */
export interface WordAttention {
  readonly text: string;
  /** [0, 1] by position of the visual row; empty if no step of the word was recorded. */
  readonly light: ReadonlyMap<number, number>;
  /** Attended rows, strongest first, without sinks. */
  readonly strongest: readonly number[];
  readonly sinks: ReadonlySet<number>;
  /** The corresponding word of the full cache's answer, if that was recorded. */
  readonly reference?: {
    readonly text: string;
    /** Rows that it attended to and that this answer's policy had dropped. */
    readonly missed: readonly number[];
  };
}

/**
 * A row counts as dropped if at least this share of the full cache's attention to it is in layers
 * that dropped it.
 */
const LOST = 0.5;

/** @returns undefined if no attention was recorded for the answer, or it has no such word */
export function attentionOfWord(
  { exchanges }: ChatConversation,
  { attempt: id, word }: RestingWord,
  layer: LayerChoice,
): WordAttention | undefined {
  const exchange = exchanges.find(({ attempts }) => attempts.some((each) => each.id === id));
  const attempt = exchange?.attempts.find((each) => each.id === id);
  const own = attempt && recordedWords(attempt);
  const steps = own?.steps[word];
  if (!own || !steps) return undefined;
  const sinks = sinksOf(attempt!, layer);
  const attention = attentionOfSteps(own.answerAttention, steps, layer);
  const reference = referenceOf(exchange!, attempt!, word, layer);
  return {
    text: own.texts[word]!,
    light: lightOf(attention, sinks),
    strongest: attendedRows(attention, sinks),
    sinks,
    ...(reference ? { reference } : {}),
  };
}

function referenceOf(
  exchange: Exchange,
  attempt: Attempt,
  word: number,
  layer: LayerChoice,
): WordAttention["reference"] {
  const full = fullReference(exchange, attempt);
  const there = full && recordedWords(full);
  const own = recordedWords(attempt);
  if (!there || !own) return undefined;
  const place = alignedWords(own.answer, there.answer)[word];
  const steps = place === undefined ? undefined : there.steps[place];
  if (place === undefined || !steps) return undefined;
  const sinks = sinksOf(full!, layer);
  // At the first step nothing had been dropped yet.
  const later = steps.filter((step) => step > 0);
  const rows = attendedRows(attentionOfSteps(there.answerAttention, later, layer), sinks);
  return {
    text: there.texts[place]!,
    missed: rows.filter((position) => {
      const given = (index: number) =>
        attentionOfRow(there.answerAttention, later, index, position);
      return lostShare(position, given, own.layers, layer) >= LOST;
    }),
  };
}

/**
 * The share of the full cache's attention to a row that falls in layers, or heads, where `kept` no
 * longer has the row.
 * @param attentionIn the full cache's attention to the row in a layer
 */
function lostShare(
  position: number,
  attentionIn: (layer: number) => number,
  kept: readonly LayerReport[],
  layer: LayerChoice,
): number {
  let given = 0;
  let lost = 0;
  for (const [index, report] of kept.entries()) {
    if (layer !== "all" && layer !== index) continue;
    const attention = attentionIn(index);
    const lists = report.keptPerHead ?? [report.kept];
    const without = lists.filter((list) => !list.includes(position)).length;
    given += attention;
    lost += (attention * without) / lists.length;
  }
  return given > 0 ? lost / given : 0;
}

/** The words of an answer with the steps that wrote them, if their attention was recorded. */
function recordedWords({ run }: Attempt) {
  if (run.phase !== "done") return undefined;
  const { answer, layers, explanation } = run.result;
  const answerAttention = explanation?.attention;
  if (!answerAttention) return undefined;
  const texts = wordsIn(answer).map(({ start, end }) => answer.slice(start, end));
  return {
    answer,
    layers,
    answerAttention,
    texts,
    steps: stepsOfWords(answer, answerAttention.ends),
  };
}

/** Whether attention was recorded for an answer. */
export function hasAttention({ run }: Attempt): boolean {
  return run.phase === "done" && run.result.explanation?.attention !== undefined;
}

/** Words of an answer that attended to a patch (see `attendedRows`). */
export function wordsAttendingTo(
  attempt: Attempt,
  position: number,
  layer: LayerChoice,
): readonly number[] {
  const recorded = recordedWords(attempt);
  if (!recorded) return [];
  const sinks = sinksOf(attempt, layer);
  return recorded.steps.flatMap((steps, word) => {
    const attention = attentionOfSteps(recorded.answerAttention, steps, layer);
    return attendedRows(attention, sinks).includes(position) ? [word] : [];
  });
}

/** The sinks among the visual rows of an answer; none if its attention was not recorded. */
export function sinksOf(attempt: Attempt, layer: LayerChoice): ReadonlySet<number> {
  const recorded = recordedWords(attempt);
  if (!recorded) return NO_SINKS;
  const { answerAttention, steps, layers } = recorded;
  const known = SINKS.get(answerAttention) ?? new Map<LayerChoice, ReadonlySet<number>>();
  SINKS.set(answerAttention, known);
  const sinks = known.get(layer) ?? sinkRows(answerAttention, steps, layers, layer);
  known.set(layer, sinks);
  return sinks;
}

const NO_SINKS: ReadonlySet<number> = new Set();
/** Cached sinks, because every word of an answer needs them. */
const SINKS = new WeakMap<AnswerAttention, Map<LayerChoice, ReadonlySet<number>>>();

/**
 * The policy's scores of an image's rows for an answer. An appended turn ranks only its own rows;
 * an earlier image's rows were ranked by the turn that added the image.
 */
export function importanceOfImage(
  { exchanges }: ChatConversation,
  attemptId: string,
  layout: ImageLayout,
): Importance | undefined {
  const first = layout.tiles[0]?.firstPosition;
  const place = exchanges.findIndex(({ attempts }) => attempts.some(({ id }) => id === attemptId));
  const attempt = exchanges[place]?.attempts.find(({ id }) => id === attemptId);
  if (first === undefined || attempt?.run.phase !== "done") return undefined;
  let result = attempt.run.result;
  for (let before = place; ; ) {
    const importance = result.explanation?.importance;
    if (importance?.positions.includes(first)) return importance;
    if (!result.appended) return undefined;
    before -= 1;
    const earlier = exchanges[before];
    const standing = earlier && standingResult(earlier);
    if (!standing) return undefined;
    result = standing;
  }
}

/**
 * The answer to ask again without a patch: the one whose rows the viewer shows, otherwise the
 * newest.
 */
export function attemptToTest({
  conversation,
  shown,
}: Pick<ChatState, "conversation" | "shown">):
  | { readonly exchange: Exchange; readonly attempt: Attempt }
  | undefined {
  const answers = conversation.exchanges.flatMap((exchange) =>
    exchange.attempts
      .filter(({ run }) => run.phase === "done")
      .map((attempt) => ({ exchange, attempt })),
  );
  return answers.find(({ attempt }) => attempt.id === shown) ?? answers.at(-1);
}
