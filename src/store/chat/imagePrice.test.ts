import { expect, it, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import type { Load } from "../engine/load";
import type { Chat } from "./chat";
import { createImagePrice } from "./imagePrice";

const image = (id: string, width: number) => ({ id, width, height: 100 });

function setUp(priceImages: (images: readonly { width: number }[]) => Promise<object>) {
  const model = createStore<object>(() => ({ phase: "loading" }));
  const chat = createStore<object>(() => ({ conversation: { images: [], exchanges: [] } }));
  const load = { store: model, engine: () => ({ priceImages }) } as unknown as Load;
  const price = createImagePrice(load, { store: chat } as unknown as Chat);
  return {
    price: () => price.getState().price,
    ready: () => model.setState({ phase: "ready", info: {} }),
    show: (...images: readonly object[]) =>
      chat.setState({ conversation: { images, exchanges: [] } }),
    asked: () =>
      chat.setState({
        conversation: { images: [image("a", 7)], exchanges: [{ images: ["a"] }] },
      }),
  };
}

it("asks for the price of the waiting images, and forgets it with the question", async () => {
  const priceImages = vi.fn(async (images: readonly { width: number }[]) => {
    const tokens = images.reduce((sum, { width }) => sum + width, 0);
    return { tokens, kvBytes: 2 * tokens };
  });
  const { price, ready, show, asked } = setUp(priceImages);
  show(image("a", 7));
  await Promise.resolve();
  expect(price(), "no model yet").toBeUndefined();
  ready();
  await vi.waitFor(() => expect(price()).toEqual({ tokens: 7, kvBytes: 14 }));
  show(image("a", 7), image("b", 3));
  await vi.waitFor(() => expect(price()).toEqual({ tokens: 10, kvBytes: 20 }));
  asked();
  await vi.waitFor(() => expect(price()).toBeUndefined());
});

it("shows no price of an image that the model refuses", async () => {
  const { price, ready, show } = setUp(() => Promise.reject(new Error("too long")));
  show(image("a", 7));
  ready();
  await new Promise((done) => setTimeout(done));
  expect(price()).toBeUndefined();
});
