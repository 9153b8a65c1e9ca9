import { describe, expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import type { Engine } from "@/protocol/engine";
import type { CacheSettings } from "@/protocol/request";
import { result } from "../app/testing";
import { type Attempt, emptyConversation, withExchange } from "../conversation/conversation";
import type { Load } from "../engine/load";
import { createSettingsStore } from "../settings/settings";
import type { Chat } from "./chat";
import type { ChatState } from "./chatState";
import { createPreview } from "./preview";

const settings = (retention: number): CacheSettings => ({
  policy: "h2o",
  retention,
  scope: "visual",
  options: {},
});
const layout = { image: "p", width: 1, height: 1, tiles: [] };

function setUp(given: Parameters<typeof result>[0], engine: Partial<Engine>) {
  const run = { phase: "done", result: result({ images: [layout], ...given }) } as const;
  const attempts: readonly Attempt[] = [{ id: "a", settings: settings(0.5), run }];
  const exchange = { id: "e", images: [], question: "", attempts };
  const state: ChatState = {
    conversation: withExchange(emptyConversation("c", 0), exchange),
    running: undefined,
    shown: undefined,
    left: undefined,
  };
  const chatStore = createStore<ChatState>(() => state);
  const chat = { store: chatStore } as unknown as Chat;
  const load = { engine: () => engine as Engine } as Load;
  const controls = createSettingsStore({ policy: "h2o", keepPercent: 50 });
  const next = () => settings(controls.getState().keepPercent / 100);
  const store = createPreview({ load, chat, settings: controls, next, delayMs: 0 });
  const keep = (keepPercent: number) => controls.choose({ keepPercent });
  return { chatStore, controls, keep, current: () => store.getState().preview };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a preview", () => {
  test("shows what other settings would keep, with the rows that there were", async () => {
    const preview = vi.fn(async () => ({ layers: [{ rows: 3, kept: [0, 1, 5] }], kvBytes: 99 }));
    const { keep, current } = setUp({}, { preview });
    keep(10);
    await settled();
    expect(preview).toHaveBeenCalledExactlyOnceWith(settings(0.1));
    expect(current()).toEqual({
      settings: settings(0.1),
      kvBytes: 99,
      layers: [{ rowsBefore: 100, rowsAfter: 3, kept: [0, 1, 5] }],
    });
  });

  test("is not asked for by what changes no answer", async () => {
    const preview = vi.fn();
    const { chatStore, controls } = setUp({}, { preview });
    controls.choose({ layer: 3, overlay: "off", theme: "dark" });
    chatStore.setState({ running: "b" });
    chatStore.setState({ running: undefined });
    await settled();
    expect(preview).not.toHaveBeenCalled();
  });

  test("of the settings that were just used is none", async () => {
    const preview = vi.fn();
    const { keep, current } = setUp({}, { preview });
    keep(20);
    keep(50);
    await settled();
    expect(preview).not.toHaveBeenCalled();
    expect(current()).toBeUndefined();
  });

  test("is left out where the engine recorded too little, or no image", async () => {
    const preview = vi.fn(async () => Promise.reject(new Error("not recorded")));
    const { keep, current } = setUp({}, { preview });
    keep(10);
    await settled();
    expect(current()).toBeUndefined();

    for (const given of [{ images: [] }, { appended: true }]) {
      setUp(given, { preview }).keep(10);
      await settled();
    }
    expect(preview).toHaveBeenCalledTimes(1);
  });

  test("of an earlier prompt is none, after its question was answered again", async () => {
    const preview = vi.fn(async () => ({ layers: [], kvBytes: 1 }));
    const { chatStore, keep } = setUp({}, { preview });
    const at = (id: string, startedAt: number): Attempt => {
      const run = { phase: "done", result: result({ images: [layout] }), origin: { startedAt } };
      return { id, settings: settings(0.5), run } as Attempt;
    };
    const exchanges = (again: number) =>
      [[at("a", 1), at("c", again)], [at("b", 2)]].map((attempts, index) => {
        return { id: `e${index}`, images: [], question: "", attempts };
      });
    const show = (again: number) =>
      chatStore.setState({
        conversation: { ...emptyConversation("c", 0), exchanges: exchanges(again) },
      });
    show(3);
    keep(10);
    await settled();
    expect(preview).not.toHaveBeenCalled();
    show(1.5);
    keep(11);
    await settled();
    expect(preview).toHaveBeenCalledTimes(1);
  });

  test("ends when the next question runs, even if its numbers come late", async () => {
    let answer: (value: never) => void = () => undefined;
    const preview = () => new Promise<never>((resolve) => (answer = resolve));
    const { chatStore, keep, current } = setUp({}, { preview });
    keep(10);
    await settled();
    chatStore.setState({ running: "b" });
    answer({ layers: [], kvBytes: 1 } as never);
    await settled();
    expect(current()).toBeUndefined();
  });
});
