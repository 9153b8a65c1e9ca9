import { createStore, type StoreApi } from "zustand/vanilla";
import { texts } from "@/language/language";
import type { Chat } from "../chat/chat";
import { imagesShown } from "../chat/shownRows";
import type { ConversationImage } from "../conversation/conversation";
import { viewerImage } from "../conversation/conversationImages";
import { reportOf } from "../conversation/run";
import type { ReadonlyStore } from "../readonlyStore";
import { ImageChoices } from "./imageChoices";
import { type Fetching, type Given, ImageSources } from "./imageSources";
import type { ImageOutcome } from "./readImage";
import type { VideoStills } from "./readVideo";
import type { SampleImage } from "./samples";
import type { Target, ViewerOptions, ViewerState } from "./viewerState";

/** Adding images to the viewer. Each call resolves with whether an image was added. */
export interface Viewer {
  readonly store: ReadonlyStore<ViewerState>;
  choose(given: readonly Given[], target: Target): Promise<boolean>;
  /** Adds evenly spaced frames of a video, each with its time. */
  chooseVideo(given: Given, count: number, target: Target): Promise<boolean>;
  /** Adds frames that were taken one after the other, within `duration` seconds. */
  chooseStills(stills: VideoStills, title: string, target: Target): Promise<boolean>;
  /** Fetches images from addresses that the user gave. */
  chooseAddresses(addresses: readonly string[], target: Target): Promise<boolean>;
  chooseSample(id: string): Promise<boolean>;
  /** Samples that the user can choose. */
  setSamples(samples: readonly SampleImage[]): void;
  /** Shows why a chosen file cannot be shown, as a failure. */
  refuse(message: string): void;
  /** Takes the last failure back. */
  dismissFailure(): void;
  /** Cancels the images being read. */
  stopReading(): void;
  /** Removes an image without a question. */
  remove(imageId: string): void;
  /** Shows one of the conversation's images. */
  show(imageId: string): void;
  /**
   * Resolves when all images chosen so far are in the viewer or were refused: false if those of the last choice are
   * not in the viewer, because they could not be read, or were cancelled or replaced meanwhile.
   */
  settled(): Promise<boolean>;
  /** Number of choices so far. */
  choices(): number;
}

export function createViewer(options: ViewerOptions): Viewer {
  const { chat } = options;
  const sources = new ImageSources(options);
  const store = createStore<ViewerState>(() => ({
    samples: [],
    imageId: undefined,
    target: "new",
    failure: undefined,
    notice: undefined,
    isReading: false,
    fetching: undefined,
  }));
  const choices = new ImageChoices(options, store);
  chat.store.subscribe((state, before) => {
    revokeGone(before.conversation.images, state.conversation.images);
    if (state.conversation.id !== before.conversation.id && !choices.isPlacing) choices.stop();
    if (state.shown !== before.shown) follow(chat, store);
    // A failure of images is cleared when the user asks a question without them.
    const { exchanges } = state.conversation;
    if (exchanges.length > before.conversation.exchanges.length) {
      store.setState({ failure: undefined, notice: undefined });
    }
  });

  return {
    store,
    setSamples: (samples) => store.setState({ samples }),
    refuse: (message) =>
      store.setState({
        target: "new",
        failure: { code: "badRequest", message },
        notice: undefined,
      }),
    dismissFailure: () => store.setState({ failure: undefined }),
    stopReading: () => choices.stop(),
    choose: (given, target) =>
      choices.take(given.length, target, (signal) => sources.files(given, signal)),
    chooseVideo: (given, count, target) =>
      choices.take(count, target, (signal) => sources.video(given, count, signal)),
    chooseStills: (stills, title, target) =>
      choices.take(stills.stills.length, target, (signal) => sources.stills(stills, title, signal)),
    chooseAddresses: (addresses, target) =>
      choices.take(addresses.length, target, async (signal) => {
        const tell = (fetching: Fetching) => store.setState({ fetching });
        const outcomes: ImageOutcome[] = [];
        for (const each of addresses) outcomes.push(await sources.address(each, signal, tell));
        return outcomes;
      }),
    chooseSample(id) {
      const sample = store.getState().samples.find((each) => each.id === id);
      return choices.take(sample?.pages?.length ?? 1, "new", async () => {
        if (sample) return sources.sample(sample);
        const message = texts.viewer.read.sampleUnknown(id);
        return [{ ok: false, failure: { code: "badImage", message, action: "chooseImage" } }];
      });
    },
    remove: (imageId) => chat.removeImage(imageId),
    show: (imageId) => store.setState({ imageId }),
    settled: () => choices.settled(),
    choices: () => choices.choices(),
  };
}

/** Frees the addresses of images that are not in the conversation any more. */
function revokeGone(
  before: readonly ConversationImage[],
  images: readonly ConversationImage[],
): void {
  if (images === before) return;
  const kept = new Set(images.map(({ url }) => url));
  for (const { url } of before) if (!kept.has(url)) URL.revokeObjectURL(url);
}

/**
 * When an answer is shown whose prompt does not include the image in the viewer, the viewer shows
 * one of the answer's images.
 */
function follow(chat: Chat, store: StoreApi<ViewerState>): void {
  const { conversation, shown } = chat.store.getState();
  const attempt = conversation.exchanges
    .flatMap(({ attempts }) => attempts)
    .find(({ id }) => id === shown);
  const asked = attempt && reportOf(attempt.run)?.images.flatMap(imagesShown);
  const current = viewerImage(conversation, store.getState().imageId)?.id;
  if (asked?.[0] && !asked.some((id) => id === current)) store.setState({ imageId: asked[0] });
}
