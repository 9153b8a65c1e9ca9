import { createStore } from "zustand/vanilla";
import { texts } from "@/language/language";
import { type EngineFailure, toFailure } from "@/protocol/failure";
import type { Chat } from "../chat/chat";
import { imagesShown } from "../chat/shownRows";
import { emptyConversation } from "../conversation/conversation";
import { givesWay, viewerImage, withImages } from "../conversation/conversationImages";
import { imageBudget, tooMany } from "../conversation/imageBudget";
import { reportOf } from "../conversation/run";
import type { Load } from "../engine/load";
import type { ReadonlyStore } from "../readonlyStore";
import {
  type Fetching,
  type Given,
  type ImageSourceOptions,
  ImageSources,
  joinedFailures,
} from "./imageSources";
import type { ImageOutcome } from "./readImage";
import type { VideoStills } from "./readVideo";
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
  /** Resolves when all chosen images are in the viewer or were refused. */
  settled(): Promise<unknown>;
  /** Number of choices so far. */
  choices(): number;
}

export interface ViewerOptions extends ImageSourceOptions {
  readonly chat: Chat;
  readonly load: Load;
  readonly now: () => number;
}

type Read = (signal: AbortSignal) => Promise<readonly ImageOutcome[]>;

export function createViewer(options: ViewerOptions): Viewer {
  const { chat, load, newId, now } = options;
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
  /** Aborts reading for a conversation that was closed, or after a cancellation. */
  let reading = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let choices = 0;
  let isPlacing = false;

  const conversation = () => chat.store.getState().conversation;

  function stopReading() {
    reading.abort();
    reading = new AbortController();
    store.setState({ isReading: false, fetching: undefined });
  }

  /** Added images are placed in the given order; a new choice replaces all of them. */
  function take(count: number, target: Target, readAll: Read): Promise<boolean> {
    choices += 1;
    if (target === "new") stopReading();
    const { signal } = reading;
    store.setState({ target, isReading: true, failure: undefined, notice: undefined });
    const before = target === "new" ? Promise.resolve() : last;
    const placed = before.then(async () => {
      if (signal.aborted) return false;
      const refusal = refusalOf(count, target);
      if (refusal) return refuse(refusal);
      const outcomes = await readAll(signal).catch((error): readonly ImageOutcome[] => [
        { ok: false, failure: toFailure(error) },
      ]);
      return signal.aborted ? release(outcomes) : place(outcomes, target);
    });
    const mine = placed.finally(() => {
      if (last === mine && !signal.aborted) {
        store.setState({ isReading: false, fetching: undefined });
      }
    });
    last = mine;
    return mine;
  }

  const begins = (target: Target) => target === "new" || givesWay(conversation());

  function refusalOf(count: number, target: Target): string | undefined {
    const model = load.store.getState();
    const isNew = begins(target);
    const whole = isNew ? emptyConversation("", 0) : conversation();
    const budget = imageBudget(whole, model.phase === "ready" ? model.info : undefined);
    return count > budget.images ? tooMany(count, budget, !isNew) : undefined;
  }

  function refuse(message: string): boolean {
    store.setState({ failure: { code: "badRequest", message, action: "chooseImage" } });
    return false;
  }

  function place(outcomes: readonly ImageOutcome[], target: Target): boolean {
    const read = outcomes.filter((each) => each.ok);
    const images = read.map(({ image }) => image);
    const failures = outcomes.flatMap((each) => (each.ok ? [] : [each.failure]));
    const notices = read.flatMap(({ notice }) => notice ?? []);
    store.setState({ failure: joinedFailures(failures), notice: notices.join(" ") || undefined });
    const first = images[0];
    if (!first) return false;
    isPlacing = true;
    if (begins(target)) {
      chat.open(withImages(emptyConversation(newId(), now()), images), "image");
    } else {
      chat.addImages(images);
    }
    isPlacing = false;
    store.setState({ imageId: first.id });
    return true;
  }

  chat.store.subscribe((state, before) => {
    if (state.conversation.id !== before.conversation.id && !isPlacing) stopReading();
    if (state.shown !== before.shown) follow();
    // A failure of images is cleared when the user asks a question without them.
    const { exchanges } = state.conversation;
    if (exchanges.length > before.conversation.exchanges.length) {
      store.setState({ failure: undefined, notice: undefined });
    }
  });

  /**
   * When an answer is shown whose prompt does not include the image in the viewer, the viewer shows
   * one of the answer's images.
   */
  function follow() {
    const { conversation, shown } = chat.store.getState();
    const attempt = conversation.exchanges
      .flatMap(({ attempts }) => attempts)
      .find(({ id }) => id === shown);
    const seen = attempt && reportOf(attempt.run)?.images.flatMap(imagesShown);
    const current = viewerImage(conversation, store.getState().imageId)?.id;
    if (seen?.[0] && !seen.some((id) => id === current)) store.setState({ imageId: seen[0] });
  }

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
    stopReading,
    choose: (given, target) => take(given.length, target, (signal) => sources.files(given, signal)),
    chooseVideo: (given, count, target) =>
      take(count, target, (signal) => sources.video(given, count, signal)),
    chooseStills: (stills, title, target) =>
      take(stills.stills.length, target, (signal) => sources.stills(stills, title, signal)),
    chooseAddresses: (addresses, target) =>
      take(addresses.length, target, async (signal) => {
        const tell = (fetching: Fetching) => store.setState({ fetching });
        const outcomes: ImageOutcome[] = [];
        for (const each of addresses) outcomes.push(await sources.address(each, signal, tell));
        return outcomes;
      }),
    chooseSample(id) {
      const sample = store.getState().samples.find((each) => each.id === id);
      return take(sample?.pages?.length ?? 1, "new", async () => {
        if (sample) return sources.sample(sample);
        const message = texts.viewer.read.sampleUnknown(id);
        return [{ ok: false, failure: { code: "badImage", message, action: "chooseImage" } }];
      });
    },
    remove(imageId) {
      const removed = chat.removeImage(imageId);
      if (removed) URL.revokeObjectURL(removed.url);
    },
    show: (imageId) => store.setState({ imageId }),
    settled: () => last,
    choices: () => choices,
  };
}

/** Frees images that were read too late to be placed. */
function release(outcomes: readonly ImageOutcome[]): boolean {
  for (const outcome of outcomes) if (outcome.ok) URL.revokeObjectURL(outcome.image.url);
  return false;
}
