import { texts } from "@/language/language";
import type { ImageLayout, LayerReport, TurnResult } from "@/protocol/result";
import { wordsIn } from "../attention/words";
import { SAMPLING_LIMITS } from "../settings/settings";
import type { DocumentResult } from "./exportJson";
import type { ConversationRecord } from "./records";
import { SchemaError } from "./schema";

/** Visual rows of a conversation that the page draws: beyond them, drawing would not end. */
const MAX_ROWS = 2 ** 17;
/** Tokens of the longest prompt. */
const MAX_TOKENS = 2 ** 20;
/** Layers and heads of the largest model that the page draws. */
const MAX_LAYERS = 256;
const MAX_HEADS = 256;
/** Tokens of the longest answer that the page asks for, and characters of the longest token. */
const MAX_ANSWER_TOKENS = SAMPLING_LIMITS.maxNewTokens.max;
const TOKEN_CHARACTERS = 64;
/** Characters of an answer allowed in tokens that are not counted individually. */
const SPARE_CHARACTERS = 1024;

/**
 * Refuses a result with inconsistent numbers, because drawing it would loop over rows, layers or
 * words that do not exist.
 * @param at its path, for the message
 * @throws SchemaError
 */
export function checkResult(result: DocumentResult, at: string): void {
  checkAnswer(result, at);
  checkLayers(result.layers, `${at}.layers`);
  const { promptTokens, visualTokens, appended, finish } = result;
  if (visualTokens > promptTokens || promptTokens > MAX_TOKENS) {
    refuse(texts.documents.visualTokens(at, visualTokens, promptTokens));
  }
  const rows = result.images.reduce((sum, layout) => sum + rowsOf(layout), 0);
  // Layouts cover the whole conversation. A turn that was appended counts only its own rows, and one that
  // was stopped during the prefill only those before.
  const fits = appended || finish === "cancelled" ? rows >= visualTokens : rows === visualTokens;
  if (!fits || rows > MAX_ROWS) {
    refuse(texts.documents.patches(at, rows, visualTokens));
  }
}

function checkAnswer({ answer, tokenIds }: DocumentResult, at: string): void {
  const tokens = tokenIds.length;
  if (tokens > MAX_ANSWER_TOKENS || answer.length > SPARE_CHARACTERS + TOKEN_CHARACTERS * tokens) {
    refuse(texts.documents.answerCharacters(at, answer.length, tokens));
  }
  // Comparing two answers takes time proportional to the product of their word counts.
  const words = wordsIn(answer).length;
  if (words > MAX_ANSWER_TOKENS) refuse(texts.documents.answerWords(at, words, tokens));
}

/** Text generated before an answer failed. @throws SchemaError */
export function checkSaid(text: string, at: string): void {
  if (text.length > SPARE_CHARACTERS + TOKEN_CHARACTERS * MAX_ANSWER_TOKENS) {
    refuse(texts.documents.characters(at, text.length));
  }
}

/** `rowsBefore` is a mean over heads, and heads may hold different rows: neither bounds a list. */
function checkLayers(layers: readonly LayerReport[], at: string): void {
  if (layers.length > MAX_LAYERS) refuse(texts.documents.layers(at, layers.length));
  for (const [index, { kept, keptPerHead = [], keptEnd = [] }] of layers.entries()) {
    const heads = Math.max(keptPerHead.length, keptEnd.length);
    if (heads > MAX_HEADS) refuse(texts.documents.heads(`${at}[${index}]`, heads));
    for (const list of [kept, ...keptPerHead, ...keptEnd]) {
      const isAscending = list.every((row, i) => i === 0 || row > list[i - 1]!);
      if (!isAscending || (list.at(-1) ?? 0) >= MAX_TOKENS) {
        refuse(texts.documents.order(`${at}[${index}]`));
      }
    }
  }
}

function rowsOf({ tiles }: ImageLayout): number {
  return tiles.reduce((sum, { gridRows, gridColumns }) => sum + gridRows * gridColumns, 0);
}

/**
 * Refuses a stored conversation whose drawing would not terminate. An explanation that does not fit
 * its answer is only removed: running the conversation again records it again.
 * @throws SchemaError
 */
export function checkRecord(record: ConversationRecord): ConversationRecord {
  return {
    ...record,
    exchanges: record.exchanges.map((exchange, place) => ({
      ...exchange,
      attempts: exchange.attempts.map((attempt, index) => {
        const { run } = attempt;
        if (run.phase !== "done") return attempt;
        checkResult(run.result, `exchanges[${place}].attempts[${index}].result`);
        return { ...attempt, run: { ...run, result: withSoundParts(run.result, place, index) } };
      }),
    })),
  };
}

/** Without an explanation that does not fit its answer, and without such a reference. */
function withSoundParts(result: TurnResult, place: number, index: number): TurnResult {
  const { explanation, reference, ...answer } = result;
  const compared = reference && "result" in reference ? reference.result : undefined;
  if (compared) checkResult(compared, `exchanges[${place}].attempts[${index}].result.reference`);
  return {
    ...answer,
    ...(explanation && explanationFits(result) ? { explanation } : {}),
    ...(reference && (!compared || explanationFits(compared)) ? { reference } : {}),
  };
}

function explanationFits({ explanation, answer }: TurnResult): boolean {
  const { importance, attention } = explanation ?? {};
  if (importance && importance.scores.length % Math.max(1, importance.positions.length) !== 0) {
    return false;
  }
  if (!attention) return true;
  const { positions, layers, steps, ends, cells } = attention;
  return (
    cells.length === steps * layers * positions.length &&
    ends.length === steps &&
    steps <= MAX_ANSWER_TOKENS &&
    layers <= MAX_LAYERS &&
    ends.every((end) => end <= answer.length)
  );
}

function refuse(why: string): never {
  throw new SchemaError(why);
}
