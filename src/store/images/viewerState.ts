import type { EngineFailure } from "@/protocol/failure";
import type { Chat } from "../chat/chat";
import type { Load } from "../engine/load";
import type { Fetching, ImageSourceOptions } from "./imageSources";
import type { SampleImage } from "./samples";

/** Destination of images: a new conversation, or before the next question of this one. */
export type Target = "new" | "add";

/** The viewer's state: available samples, the shown image, and the result of the last choice. */
export interface ViewerState {
  readonly samples: readonly SampleImage[];
  /** The image that was chosen among the conversation's; see `viewerImage`. */
  readonly imageId: string | undefined;
  /** Destination of the last images; failure and notice are shown there. */
  readonly target: Target;
  readonly failure: EngineFailure | undefined;
  /** A notice about the last images, for instance that one was scaled. */
  readonly notice: string | undefined;
  /** Whether images are being read. */
  readonly isReading: boolean;
  /** Images being fetched from another site. */
  readonly fetching: Fetching | undefined;
}

export interface ViewerOptions extends ImageSourceOptions {
  readonly chat: Chat;
  readonly load: Load;
  readonly now: () => number;
}
