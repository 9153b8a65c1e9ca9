import { texts } from "@/language/language";
import type { CacheSettings, SampledFrame, Turn } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import type { Hidden } from "./occlusion";
import { type Run, textOf } from "./run";

/** An image that the user chose, with its alternative text. */
export interface ConversationImage {
  readonly id: string;
  readonly title: string;
  readonly alt: string;
  readonly blob: Blob;
  /** Object URL of `blob`, valid while the image is in the conversation on screen. */
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly sampleId?: string;
  /** Set if it was sampled from a video. */
  readonly frame?: SampledFrame;
}

export interface Attempt {
  readonly id: string;
  readonly settings: CacheSettings;
  readonly run: Run;
  /** Id of its comparison, if it is a lane; the lanes are adjacent, in the engine's order. */
  readonly comparison?: string;
  /**
   * Patches hidden in the image. Such an attempt tests another answer; the conversation never
   * continues from it.
   */
  readonly hidden?: Hidden;
}

/** A question with its answers: the first, one for every *Ask again*, and the lanes of a *Compare*. */
export interface Exchange {
  readonly id: string;
  /** Images before the question. */
  readonly images: readonly string[];
  readonly question: string;
  /** Never empty. */
  readonly attempts: readonly Attempt[];
}

export interface ChatConversation {
  readonly id: string;
  readonly createdAt: number;
  /** Empty until the user gives a name; until then the first question is the name. */
  readonly name: string;
  readonly images: readonly ConversationImage[];
  readonly exchanges: readonly Exchange[];
}

export function emptyConversation(
  id: string,
  createdAt: number,
  image?: ConversationImage,
): ChatConversation {
  return { id, createdAt, name: "", images: image ? [image] : [], exchanges: [] };
}

/** Replaces one attempt's run. */
export function withRun(
  conversation: ChatConversation,
  attemptId: string,
  change: (run: Run) => Run,
): ChatConversation {
  const exchanges = conversation.exchanges.map((exchange) => {
    if (!exchange.attempts.some(({ id }) => id === attemptId)) return exchange;
    const attempts = exchange.attempts.map((attempt) =>
      attempt.id === attemptId ? { ...attempt, run: change(attempt.run) } : attempt,
    );
    return { ...exchange, attempts };
  });
  return { ...conversation, exchanges };
}

export function withExchange(conversation: ChatConversation, exchange: Exchange): ChatConversation {
  return { ...conversation, exchanges: [...conversation.exchanges, exchange] };
}

export function withAttempt(
  conversation: ChatConversation,
  exchangeId: string,
  ...added: readonly Attempt[]
): ChatConversation {
  const exchanges = conversation.exchanges.map((exchange) =>
    exchange.id === exchangeId
      ? { ...exchange, attempts: [...exchange.attempts, ...added] }
      : exchange,
  );
  return { ...conversation, exchanges };
}

/**
 * Replaces an exchange and removes all later ones with their images. Images without a question yet
 * are kept.
 */
export function withEdited(
  conversation: ChatConversation,
  exchangeId: string,
  edited: Exchange,
): ChatConversation {
  const place = conversation.exchanges.findIndex(({ id }) => id === exchangeId);
  if (place < 0) return conversation;
  const gone = new Set(conversation.exchanges.slice(place + 1).flatMap((each) => each.images));
  return {
    ...conversation,
    images: conversation.images.filter(({ id }) => !gone.has(id)),
    exchanges: [...conversation.exchanges.slice(0, place), edited],
  };
}

/** Whether any text was generated from an exchange on. */
export function hasAnswersFrom({ exchanges }: ChatConversation, exchangeId: string): boolean {
  const place = exchanges.findIndex(({ id }) => id === exchangeId);
  return exchanges
    .slice(place)
    .some(({ attempts }) => attempts.some(({ run }) => textOf(run) !== "" || run.phase === "done"));
}

/**
 * The answer from which the conversation continues: the latest one; in a comparison, the first lane
 * with an answer, because the engine continues with the first lane's cache. Never an answer about
 * an image with hidden patches, or one that was stopped before its first token.
 */
export function standingAttempt(exchange: Exchange): Attempt | undefined {
  const answered = exchange.attempts.filter(
    ({ run, hidden }) => run.phase === "done" && run.result.tokenIds.length > 0 && !hidden,
  );
  const latest = answered.at(-1);
  if (latest?.comparison === undefined) return latest;
  return answered.find(({ comparison }) => comparison === latest.comparison);
}

export function standingResult(exchange: Exchange): TurnResult | undefined {
  const run = standingAttempt(exchange)?.run;
  return run?.phase === "done" ? run.result : undefined;
}

/** The attempts of an exchange, with the lanes of a comparison grouped. */
export function attemptGroups({ attempts }: Exchange): readonly (readonly Attempt[])[] {
  const groups: Attempt[][] = [];
  for (const attempt of attempts) {
    const last = groups.at(-1);
    const id = attempt.comparison;
    if (last && id !== undefined && last[0]?.comparison === id) last.push(attempt);
    else groups.push([attempt]);
  }
  return groups;
}

/**
 * The turns to send for the question of `exchangeId`; without one, those that have an answer. An earlier question without an answer is
 * omitted, and its images move to the next remaining question.
 * @param model that answers: it reads answers of others as text
 */
export function turnsUntil(
  conversation: ChatConversation,
  exchangeId: string | undefined,
  model?: string,
): readonly Turn[] {
  const turns: Turn[] = [];
  let waiting: readonly string[] = [];
  for (const exchange of conversation.exchanges) {
    const images = [...waiting, ...exchange.images];
    if (exchange.id === exchangeId) return [...turns, { images, question: exchange.question }];
    const answer = standingResult(exchange);
    const { question } = exchange;
    if (answer && isOfOther(exchange, model)) {
      turns.push({ images, question, answerText: answer.answer });
    } else if (answer) turns.push({ images, question, answerIds: answer.tokenIds });
    waiting = answer ? [] : images;
  }
  if (exchangeId === undefined) return turns;
  throw new RangeError(`No exchange ${exchangeId} in the conversation`);
}

/** The models, other than `model`, whose answers a conversation continues from. */
export function otherModels({ exchanges }: ChatConversation, model: string): readonly string[] {
  const others = exchanges.filter((exchange) => isOfOther(exchange, model));
  return [...new Set(others.flatMap((exchange) => answeredBy(exchange) ?? []))];
}

/** Older records do not tell their model: it is taken for the one that answers. */
function isOfOther(exchange: Exchange, model: string | undefined): boolean {
  return model !== undefined && (answeredBy(exchange) ?? model) !== model;
}

function answeredBy(exchange: Exchange): string | undefined {
  const run = standingAttempt(exchange)?.run;
  return run?.phase === "done" ? run.origin?.model : undefined;
}

/** The newest exchange with the same question, unless images wait for this one. */
export function askedBefore(
  { images, exchanges }: ChatConversation,
  question: string,
): Exchange | undefined {
  const asked = new Set(exchanges.flatMap((exchange) => exchange.images));
  if (images.some(({ id }) => !asked.has(id))) return undefined;
  return exchanges.findLast((exchange) => exchange.question === question);
}

/** Tokens of the conversation so far: prompts and answers, including dropped rows. */
export function contextTokens(conversation: ChatConversation): number {
  let tokens = 0;
  for (const exchange of conversation.exchanges) {
    const result = standingResult(exchange);
    if (!result) continue;
    const prompt = result.appended ? tokens + result.promptTokens : 0;
    // Appended to a cache that was cut back, it counts its own rows only.
    tokens = Math.max(prompt, result.layers[0]?.rowsBefore ?? tokens) + result.tokenIds.length;
  }
  return tokens;
}

/** The name that the user gave, otherwise the first question, otherwise the image's title. */
export function titleOf(conversation: ChatConversation): string {
  return (
    conversation.name ||
    conversation.exchanges[0]?.question ||
    conversation.images[0]?.title ||
    texts.library.emptyTitle
  );
}
