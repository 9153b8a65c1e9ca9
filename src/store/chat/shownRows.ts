import type { ImageLayout, LayerReport } from "@/protocol/result";
import type { Attempt, ChatConversation } from "../conversation/conversation";
import { reportOf } from "../conversation/run";
import type { ChatState } from "./chatState";

/** Rows to draw over an image: their locations, and which of them each layer kept. */
export interface ShownRows {
  readonly attempt: Attempt;
  readonly layers: readonly LayerReport[];
  readonly layout: ImageLayout;
}

/**
 * The rows of an image in the shown attempt, or in the newest one before it that has the image. An answer
 * also reports what is left of earlier images.
 */
export function shownRows(
  { conversation, shown }: Pick<ChatState, "conversation" | "shown">,
  imageId: string,
): ShownRows | undefined {
  const attempts = attemptsNewestFirst(conversation);
  const chosen = attempts.find(({ id }) => id === shown);
  const start = chosen ? attempts.indexOf(chosen) : 0;
  for (const attempt of attempts.slice(start)) {
    const report = reportOf(attempt.run);
    const layout = report?.images.find((each) => imagesShown(each).includes(imageId));
    if (report && layout && report.layers.length > 0) {
      return { attempt, layers: report.layers, layout };
    }
  }
  return undefined;
}

/** The images whose patches a layout's rows are. */
export function imagesShown({ image, alsoShows = [] }: ImageLayout): readonly string[] {
  return [image, ...alsoShows];
}

function attemptsNewestFirst(conversation: ChatConversation): readonly Attempt[] {
  return conversation.exchanges.flatMap(({ attempts }) => attempts).toReversed();
}
