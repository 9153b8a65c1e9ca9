import { texts } from "@/language/language";
import type { ModelInfo } from "@/protocol/model";
import { type ChatConversation, contextTokens } from "./conversation";
import { waitingImages } from "./conversationImages";
import { reportOf } from "./run";

/**
 * Largest number of images in a conversation for any model: each is in memory and in the library.
 */
export const MAX_IMAGES = 32;
/** Tokens reserved for a question and its answer. */
const QUESTION_TOKENS = 384;
/** Tokens of the markup around an image. */
const MARKUP_TOKENS = 8;

interface ImageBudget {
  /** Images that still fit into the conversation. */
  readonly images: number;
  /** What sets the limit: the model's context in tokens, or the page. */
  readonly contextLength?: number;
}

/**
 * How many more images a conversation can take. An image is estimated as the rows of the largest
 * answered image, or the model's minimum if there is none. If it is larger, the engine refuses the
 * question.
 */
export function imageBudget(
  conversation: ChatConversation,
  model: Pick<ModelInfo, "contextLength" | "rowsPerTile"> | undefined,
): ImageBudget {
  const ofPage = Math.max(0, MAX_IMAGES - conversation.images.length);
  const rows = Math.max(model?.rowsPerTile ?? 0, largestSeen(conversation));
  if (!model || rows === 0) return { images: ofPage };
  const { contextLength } = model;
  const perImage = rows + MARKUP_TOKENS;
  const waiting = waitingImages(conversation).length * perImage;
  const free = contextLength - contextTokens(conversation) - waiting - QUESTION_TOKENS;
  const ofContext = Math.max(0, Math.floor(free / perImage));
  return ofContext < ofPage ? { images: ofContext, contextLength } : { images: ofPage };
}

/** Visual rows of the largest answered image; 0 if there is none. */
function largestSeen({ exchanges }: ChatConversation): number {
  const layouts = exchanges
    .flatMap(({ attempts }) => attempts)
    .flatMap(({ run }) => reportOf(run)?.images ?? []);
  const rows = layouts.map(({ tiles }) =>
    tiles.reduce((sum, { gridRows, gridColumns }) => sum + gridRows * gridColumns, 0),
  );
  return Math.max(0, ...rows);
}

/** Why `count` images were refused. */
export function tooMany(count: number, budget: ImageBudget, isAdded: boolean): string {
  const context = budget.contextLength;
  return texts.viewer.read.tooMany(count, budget.images, { context, isAdded });
}
