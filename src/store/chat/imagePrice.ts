import { createStore } from "zustand/vanilla";
import type { ImagePrice, PricedImage } from "@/protocol/model";
import type { ConversationImage } from "../conversation/conversation";
import { waitingImages } from "../conversation/conversationImages";
import type { Load } from "../engine/load";
import type { ReadonlyStore } from "../readonlyStore";
import type { Chat } from "./chat";

/** What the images before the next question add to it; undefined if there are none, or no model. */
export type ImagePriceStore = ReadonlyStore<{ readonly price: ImagePrice | undefined }>;

/** Asks the engine for the price of the waiting images whenever they or the model change. */
export function createImagePrice(load: Load, chat: Pick<Chat, "store">): ImagePriceStore {
  const store = createStore<{ readonly price: ImagePrice | undefined }>(() => ({
    price: undefined,
  }));
  let asked = 0;
  let before: readonly unknown[] = [];

  async function update() {
    const state = load.store.getState();
    const info = state.phase === "ready" ? state.info : undefined;
    const waiting = waitingImages(chat.store.getState().conversation);
    const now = [info, ...waiting];
    if (now.length === before.length && now.every((each, i) => each === before[i])) return;
    before = now;
    asked += 1;
    const mine = asked;
    const price = info && (await priceOf(waiting));
    if (mine === asked) store.setState({ price });
  }

  async function priceOf(images: readonly ConversationImage[]): Promise<ImagePrice | undefined> {
    const engine = load.engine();
    if (!engine || images.length === 0) return undefined;
    const priced = images.map(({ width, height, frame }): PricedImage => {
      return { width, height, ...(frame && { frame }) };
    });
    // A model without vision, or an image that it refuses: the question itself says so.
    return engine.priceImages(priced).catch(() => undefined);
  }

  chat.store.subscribe(() => void update());
  load.store.subscribe(() => void update());
  return store;
}
