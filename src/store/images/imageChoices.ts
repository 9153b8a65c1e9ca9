import type { StoreApi } from "zustand/vanilla";
import { toFailure } from "@/protocol/failure";
import { emptyConversation } from "../conversation/conversation";
import { givesWay, withImages } from "../conversation/conversationImages";
import { imageBudget, tooMany } from "../conversation/imageBudget";
import { joinedFailures } from "./imageSources";
import type { ImageOutcome } from "./readImage";
import type { Target, ViewerOptions, ViewerState } from "./viewerState";

type Read = (signal: AbortSignal) => Promise<readonly ImageOutcome[]>;

/** Reads chosen images one choice after the other, and places them in the conversation. */
export class ImageChoices {
  readonly #options: ViewerOptions;
  readonly #store: StoreApi<ViewerState>;
  /** Aborts reading for a conversation that was closed, or after a cancellation. */
  #reading = new AbortController();
  #last: Promise<boolean> = Promise.resolve(true);
  #choices = 0;
  #isPlacing = false;

  constructor(options: ViewerOptions, store: StoreApi<ViewerState>) {
    this.#options = options;
    this.#store = store;
  }

  /** The conversation changes because images are placed. */
  get isPlacing(): boolean {
    return this.#isPlacing;
  }

  /** Number of choices so far. */
  choices(): number {
    return this.#choices;
  }

  /** Resolves when all images chosen so far are placed or were refused: false if those of the last choice are not placed. */
  settled(): Promise<boolean> {
    return this.#last;
  }

  stop(): void {
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#store.setState({ isReading: false, fetching: undefined });
  }

  /** Added images are placed in the given order; a new choice replaces all of them. */
  take(count: number, target: Target, readAll: Read): Promise<boolean> {
    this.#choices += 1;
    if (target === "new") this.stop();
    const { signal } = this.#reading;
    this.#store.setState({ target, isReading: true, failure: undefined, notice: undefined });
    const before = target === "new" ? Promise.resolve() : this.#last;
    const placed = before.then(async () => {
      if (signal.aborted) return false;
      const refusal = this.#refusalOf(count, target);
      if (refusal) return this.#refuse(refusal);
      const outcomes = await readAll(signal).catch((error): readonly ImageOutcome[] => [
        { ok: false, failure: toFailure(error) },
      ]);
      return signal.aborted ? release(outcomes) : this.#place(outcomes, target);
    });
    const mine = placed.finally(() => {
      if (this.#last === mine && !signal.aborted) {
        this.#store.setState({ isReading: false, fetching: undefined });
      }
    });
    this.#last = mine;
    return mine;
  }

  get #conversation() {
    return this.#options.chat.store.getState().conversation;
  }

  #begins(target: Target): boolean {
    return target === "new" || givesWay(this.#conversation);
  }

  #refusalOf(count: number, target: Target): string | undefined {
    const model = this.#options.load.store.getState();
    const isNew = this.#begins(target);
    const whole = isNew ? emptyConversation("", 0) : this.#conversation;
    const budget = imageBudget(whole, model.phase === "ready" ? model.info : undefined);
    return count > budget.images ? tooMany(count, budget, !isNew) : undefined;
  }

  #refuse(message: string): boolean {
    this.#store.setState({ failure: { code: "badRequest", message, action: "chooseImage" } });
    return false;
  }

  #place(outcomes: readonly ImageOutcome[], target: Target): boolean {
    const { chat, newId, now } = this.#options;
    const read = outcomes.filter((each) => each.ok);
    const images = read.map(({ image }) => image);
    const failures = outcomes.flatMap((each) => (each.ok ? [] : [each.failure]));
    const notice = read.flatMap((each) => each.notice ?? []).join(" ") || undefined;
    this.#store.setState({ failure: joinedFailures(failures), notice });
    const first = images[0];
    if (!first) return false;
    this.#isPlacing = true;
    if (this.#begins(target)) {
      chat.open(withImages(emptyConversation(newId(), now()), images), "image");
    } else {
      chat.addImages(images);
    }
    this.#isPlacing = false;
    this.#store.setState({ imageId: first.id });
    return true;
  }
}

/** Frees images that were read too late to be placed. */
function release(outcomes: readonly ImageOutcome[]): boolean {
  for (const outcome of outcomes) if (outcome.ok) URL.revokeObjectURL(outcome.image.url);
  return false;
}
