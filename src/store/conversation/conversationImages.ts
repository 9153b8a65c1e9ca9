import type { ChatConversation, ConversationImage } from "./conversation";

/** Images that no question was asked about yet: they stand before the next one. */
export function waitingImages({
  images,
  exchanges,
}: ChatConversation): readonly ConversationImage[] {
  const asked = new Set(exchanges.flatMap((exchange) => exchange.images));
  return images.filter(({ id }) => !asked.has(id));
}

/** Images that came last, together: those that wait, or those of the newest question with any. */
export function newestImages(conversation: ChatConversation): readonly ConversationImage[] {
  const waiting = waitingImages(conversation);
  if (waiting.length > 0) return waiting;
  const ids = conversation.exchanges.findLast(({ images }) => images.length > 0)?.images;
  return conversation.images.filter(({ id }) => ids?.includes(id));
}

/** The image in the viewer: the chosen one while the conversation has it, or the first of the newest. */
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

/** Without an image that waits; one that a question was asked about stays. */
export function withoutImage(conversation: ChatConversation, imageId: string): ChatConversation {
  const isWaiting = waitingImages(conversation).some(({ id }) => id === imageId);
  if (!isWaiting) return conversation;
  return {
    ...conversation,
    images: conversation.images.filter(({ id }) => id !== imageId),
  };
}

/** Whether an image that is added replaces what is in the viewer: nothing is there but samples, not asked about. */
export function givesWay({ images, exchanges }: ChatConversation): boolean {
  return exchanges.length === 0 && images.every(({ sampleId }) => sampleId !== undefined);
}
