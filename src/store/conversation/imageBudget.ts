import type { ModelInfo } from "@/protocol/engine";
import { type Conversation, contextTokens, reportOf } from "./conversation";
import { waitingPictures } from "./conversationPictures";

/** Pictures of one conversation, whatever the model takes: each is held in memory and in the archive. */
export const MAX_PICTURES = 32;
/** Tokens that stay free for a question and its answer. */
const QUESTION_TOKENS = 384;
/** Tokens that a model writes around a picture. */
const MARKUP_TOKENS = 8;

export interface ImageBudget {
  /** Pictures that still fit into the conversation. */
  readonly pictures: number;
  /** What sets the limit: the model's context in tokens, or else the page. */
  readonly contextLength?: number;
}

/**
 * How many more pictures a conversation takes. A picture costs the rows of the largest one that was
 * answered about, or the model's fewest where none was; a model that cuts pictures into more tiles
 * than that refuses the question itself.
 */
export function imageBudget(
  conversation: Conversation,
  model: Pick<ModelInfo, "contextLength" | "rowsPerTile"> | undefined,
): ImageBudget {
  const ofPage = Math.max(0, MAX_PICTURES - conversation.pictures.length);
  const rows = Math.max(model?.rowsPerTile ?? 0, largestSeen(conversation));
  if (!model || rows === 0) return { pictures: ofPage };
  const { contextLength } = model;
  const perPicture = rows + MARKUP_TOKENS;
  const waiting = waitingPictures(conversation).length * perPicture;
  const free = contextLength - contextTokens(conversation) - waiting - QUESTION_TOKENS;
  const ofContext = Math.max(0, Math.floor(free / perPicture));
  return ofContext < ofPage ? { pictures: ofContext, contextLength } : { pictures: ofPage };
}

/** Visual rows of the largest picture that an answer has placed; 0: none. */
function largestSeen({ exchanges }: Conversation): number {
  const layouts = exchanges
    .flatMap(({ attempts }) => attempts)
    .flatMap(({ run }) => reportOf(run)?.images ?? []);
  const rows = layouts.map(({ tiles }) =>
    tiles.reduce((sum, { gridRows, gridColumns }) => sum + gridRows * gridColumns, 0),
  );
  return Math.max(0, ...rows);
}

/** Why `count` pictures were refused. */
export function tooMany(count: number, budget: ImageBudget, isAdded: boolean): string {
  const them = count === 1 ? "This image does" : `These ${count} images do`;
  const limit = budget.contextLength
    ? `the model’s context of ${budget.contextLength} tokens`
    : "a conversation here";
  if (budget.pictures === 0) return `${them} not fit: ${limit} has no room for another image.`;
  return `${them} not fit: ${limit} has room for ${budget.pictures}${isAdded ? " more" : ""}.`;
}
