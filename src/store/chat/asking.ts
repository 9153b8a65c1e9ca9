import type { Engine } from "@/protocol/engine";
import type { AskRequest, Sampling } from "@/protocol/request";
import type { LaneOutcome } from "@/protocol/result";
import {
  type Attempt,
  type ChatConversation,
  type Exchange,
  turnsUntil,
} from "../conversation/conversation";
import type { Hidden } from "../conversation/occlusion";

/** A copy of an image with hidden patches. */
export type HidePatches = (image: Blob, hidden: Hidden) => Promise<Blob>;

/** A request to the engine. */
interface Asking {
  readonly conversation: ChatConversation;
  readonly exchange: Exchange;
  /** One, or the lanes of a comparison. */
  readonly attempts: readonly Attempt[];
  /** `ModelInfo.id` of the model that answers. */
  readonly model: string | undefined;
  readonly sampling: Sampling;
  /** Whether to run a new prefill even if the engine could append. */
  readonly isFresh: boolean;
  /** Whether to answer from the full cache, too. */
  readonly wantsReference: boolean;
  readonly hidePatches: HidePatches;
}

/**
 * Sends a question with its history and images; resolves with one outcome per attempt. @throws the
 * engine's errors
 */
export async function askEngine(engine: Engine, asking: Asking): Promise<readonly LaneOutcome[]> {
  const { conversation, exchange, attempts, sampling, isFresh, hidePatches } = asking;
  const images = Object.fromEntries(conversation.images.map(({ id, blob }) => [id, blob]));
  const frames = framesOf(conversation);
  const turns = turnsUntil(conversation, exchange.id, asking.model);
  // An answer with hidden patches is compared with the one about the whole image.
  const reference = asking.wantsReference && attempts.every((attempt) => !attempt.hidden);
  const question = {
    ...{ turns, images, sampling, explain: true },
    ...(frames && { frames }),
    ...(reference && { reference }),
  };
  const lanes = attempts.map(({ settings }) => settings);
  if (lanes.length > 1) return engine.compare({ ...question, lanes });
  const { settings, hidden } = attempts[0]!;
  const seen = hidden ? await withHidden(images, hidden, hidePatches) : images;
  const again = isFresh || hidden ? { fresh: true } : {};
  return [{ result: await engine.ask({ ...question, images: seen, settings, ...again }) }];
}

/** Which images of a conversation are frames of videos. */
export function framesOf({ images }: Pick<ChatConversation, "images">): AskRequest["frames"] {
  const framed = images.flatMap(({ id, frame }) => (frame ? [[id, frame] as const] : []));
  return framed.length > 0 ? Object.fromEntries(framed) : undefined;
}

async function withHidden(
  images: AskRequest["images"],
  hidden: Hidden,
  hidePatches: HidePatches,
): Promise<AskRequest["images"]> {
  const whole = images[hidden.image];
  if (!whole) throw new RangeError(`No image ${hidden.image} in the conversation`);
  return { ...images, [hidden.image]: await hidePatches(whole, hidden) };
}
