import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** A browser in which a newer build waits, and what the page has asked of its service worker. */
async function visit() {
  const window = new EventTarget();
  const container = new EventTarget();
  const asked: MessagePort[] = [];
  const controller = { postMessage: (_: unknown, [port]: [MessagePort]) => asked.push(port) };
  const registration = { waiting: {}, active: { state: "activated" } };
  const serviceWorker = Object.assign(container, {
    controller,
    getRegistration: async () => registration,
    register: async () => registration,
  });
  const reload = vi.fn();
  vi.stubGlobal("navigator", { serviceWorker });
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("location", { reload });
  vi.stubGlobal("document", { baseURI: "https://keepsight.example/" });
  const { startOffline } = await import("./page");
  let isReady = false;
  const ready = startOffline().ready.then(() => {
    isReady = true;
  });
  await vi.waitUntil(() => asked.length > 0);
  const [port] = asked as [MessagePort];
  const answered = new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
  });
  return {
    ...{ port, answered, ready, reload, isReady: () => isReady },
    press: () => window.dispatchEvent(new Event("keydown")),
    takeControl: () => container.dispatchEvent(new Event("controllerchange")),
  };
}

beforeEach(() => {
  vi.stubEnv("DEV", false);
  vi.resetModules();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

test("a newer build replaces a page that waits for it", async () => {
  const { port, answered, takeControl, reload, isReady } = await visit();
  port.postMessage(true);
  expect(await answered).toBe(true);
  takeControl();
  expect(reload).toHaveBeenCalledOnce();
  expect(isReady()).toBe(false);
});

test("a page on which somebody types is not reloaded", async () => {
  const { port, answered, press, takeControl, reload, ready } = await visit();
  press();
  port.postMessage(true);
  expect(await answered).toBe(false);
  await ready;
  takeControl();
  expect(reload).not.toHaveBeenCalled();
});

test("a newer build that replies late is told to wait", async () => {
  const { port, answered, takeControl, reload, ready } = await visit();
  vi.advanceTimersByTime(15_000);
  await ready;
  port.postMessage(true);
  expect(await answered).toBe(false);
  takeControl();
  expect(reload).not.toHaveBeenCalled();
});
