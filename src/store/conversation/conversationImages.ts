import type { ChatConversation, ConversationImage } from "./conversation";

/** Images without a question yet; they precede the next question. */
export function waitingImages({
  images,
  exchanges,
}: ChatConversation): readonly ConversationImage[] {
  const asked = new Set(exchanges.flatMap((exchange) => exchange.images));
  return images.filter(({ id }) => !asked.has(id));
}

/** The latest images: the waiting ones, otherwise those of the newest question with images. */
export function newestImages(conversation: ChatConversation): readonly ConversationImage[] {
  const waiting = waitingImages(conversation);
  if (waiting.length > 0) return waiting;
  const ids = conversation.exchanges.findLast(({ images }) => images.length > 0)?.images;
  return conversation.images.filter(({ id }) => ids?.includes(id));
}

/**
 * The image in the viewer: the chosen one if it is in the conversation, otherwise the first of the
 * latest images.
 */
export function viewerImage(
  conversation: ChatConversation,
  chosenId: string | undefined,
): ConversationImage | undefined {
  const chosen = conversation.images.find(({ id }) => id === chosenId);
  return chosen ?? newestImages(conversation)[0] ?? conversation.images.at(-1);
}

export function withImages(
  conversation: ChatConversation,
  added: readonly ConversationImage[],
): ChatConversation {
  return { ...conversation, images: [...conversation.images, ...added] };
}

/** Removes a waiting image; an image with a question is kept. */
export function withoutImage(conversation: ChatConversation, imageId: string): ChatConversation {
  const isWaiting = waitingImages(conversation).some(({ id }) => id === imageId);
  if (!isWaiting) return conversation;
  return {
    ...conversation,
    images: conversation.images.filter(({ id }) => id !== imageId),
  };
}

/**
 * Whether an added image replaces those in the viewer: true if these are only samples without a
 * question.
 */
export function givesWay({ images, exchanges }: ChatConversation): boolean {
  return exchanges.length === 0 && images.every(({ sampleId }) => sampleId !== undefined);
}

/** Whether a question has images of earlier questions before it. @param exchangeId undefined: the next question */
export function hasImagesBefore(
  { exchanges }: ChatConversation,
  exchangeId: string | undefined,
): boolean {
  const at = exchanges.findIndex(({ id }) => id === exchangeId);
  return exchanges.slice(0, at < 0 ? undefined : at).some(({ images }) => images.length > 0);
}
