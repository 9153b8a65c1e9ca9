import type { Conversation, Picture } from "./conversation";

/** Pictures that no question was asked about yet: they stand before the next one. */
export function waitingPictures({ pictures, exchanges }: Conversation): readonly Picture[] {
  const asked = new Set(exchanges.flatMap((exchange) => exchange.pictures));
  return pictures.filter(({ id }) => !asked.has(id));
}

/** Pictures that came last, together: those that wait, or those of the newest question with any. */
export function newestPictures(conversation: Conversation): readonly Picture[] {
  const waiting = waitingPictures(conversation);
  if (waiting.length > 0) return waiting;
  const ids = conversation.exchanges.findLast(({ pictures }) => pictures.length > 0)?.pictures;
  return conversation.pictures.filter(({ id }) => ids?.includes(id));
}

/** The picture in the viewer: the chosen one while the conversation has it, or the first of the newest. */
export function viewerPicture(
  conversation: Conversation,
  chosenId: string | undefined,
): Picture | undefined {
  const chosen = conversation.pictures.find(({ id }) => id === chosenId);
  return chosen ?? newestPictures(conversation)[0] ?? conversation.pictures.at(-1);
}

export function withPictures(conversation: Conversation, added: readonly Picture[]): Conversation {
  return { ...conversation, pictures: [...conversation.pictures, ...added] };
}

/** Without a picture that waits; one that a question was asked about stays. */
export function withoutPicture(conversation: Conversation, pictureId: string): Conversation {
  const isWaiting = waitingPictures(conversation).some(({ id }) => id === pictureId);
  if (!isWaiting) return conversation;
  return {
    ...conversation,
    pictures: conversation.pictures.filter(({ id }) => id !== pictureId),
  };
}

/** Whether a picture that is added replaces what is in the viewer: nothing is there but samples, not asked about. */
export function givesWay({ pictures, exchanges }: Conversation): boolean {
  return exchanges.length === 0 && pictures.every(({ sampleId }) => sampleId !== undefined);
}
