import type { Page, Worker } from "@playwright/test";

/** What goes wrong. */
export const FAULTS = ["deviceLost", "workerEnded", "fetchCut", "allocationRefused"] as const;
export type Fault = (typeof FAULTS)[number];

/** The event of the engine at which it goes wrong. */
export interface Trigger {
  readonly type: "load" | "stage";
  readonly stage?: string;
  /** In a comparison. */
  readonly lane?: number;
}

/**
 * The state of a worker with the injection. A fault lasts until the next stage begins; `heard` counts what
 * it met.
 */
interface Injected {
  keepsightFault?: { fault: Fault; trigger: Trigger | undefined; isOn: boolean; began: boolean };
  device?: GPUDevice;
  heard: { fetches: number; buffers: number };
}

/**
 * Runs first in every engine worker. The page is the built one: the test adds this to the worker's
 * script while it is served, so that the build needs no code for it.
 */
function inject(): void {
  const state = self as unknown as Injected;
  state.heard = { fetches: 0, buffers: 0 };
  const { requestDevice } = GPUAdapter.prototype;
  const { createBuffer, popErrorScope } = GPUDevice.prototype;
  const { fetch, postMessage } = self;
  const isOn = (fault: Fault) => {
    return state.keepsightFault?.fault === fault && state.keepsightFault.isOn;
  };
  const start = () => {
    if (!state.keepsightFault || state.keepsightFault.began) return;
    Object.assign(state.keepsightFault, { isOn: true, began: true });
    state.heard = { fetches: 0, buffers: 0 };
    if (state.keepsightFault.fault === "deviceLost") state.device?.destroy();
    if (state.keepsightFault.fault === "workerEnded") self.close();
  };

  GPUAdapter.prototype.requestDevice = async function (...args) {
    state.device = await requestDevice.apply(this, args);
    return state.device;
  };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (isOn("allocationRefused")) state.heard.buffers++;
    return createBuffer.call(this, descriptor);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const isRefused = isOn("allocationRefused");
    const error = await popErrorScope.call(this);
    return isRefused ? new GPUOutOfMemoryError("injected") : error;
  };
  self.fetch = async (...args) => {
    const response = await fetch(...args);
    if (!isOn("fetchCut")) return response;
    state.heard.fetches++;
    await response.body?.cancel();
    throw new TypeError("Failed to fetch");
  };
  // The engine tells every stage before it begins.
  self.postMessage = ((message: { event?: Trigger }, options: StructuredSerializeOptions) => {
    const { trigger } = state.keepsightFault ?? {};
    const { event } = message;
    const isIt =
      event &&
      trigger &&
      Object.entries(trigger).every(([key, value]) => {
        return event[key as keyof Trigger] === value;
      });
    if (isIt) start();
    else if (event?.stage && state.keepsightFault?.isOn) state.keepsightFault.isOn = false;
    postMessage.call(self, message, options);
  }) as typeof postMessage;
  Object.assign(self, { startKeepsightFault: start });
}

/** Adds the injection to the workers of a page, before they start. */
export async function injectFaults(page: Page): Promise<void> {
  await page.context().route("**/assets/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${inject})();\n${await response.text()}` });
  });
}

/** Without a trigger the fault begins at once. */
export async function arm(page: Page, fault: Fault, trigger: Trigger | undefined): Promise<void> {
  await worker(page).evaluate(
    ([fault, trigger]) => {
      const state = self as unknown as Injected & { startKeepsightFault: () => void };
      state.keepsightFault = { fault, trigger, isOn: false, began: false };
      if (!trigger) state.startKeepsightFault();
    },
    [fault, trigger] as const,
  );
}

/** What the fault met. */
export async function disarm(page: Page): Promise<Injected["heard"] & { readonly began: boolean }> {
  return worker(page).evaluate(() => {
    const state = self as unknown as Injected;
    const began = state.keepsightFault?.began === true;
    delete state.keepsightFault;
    return { ...state.heard, began };
  });
}

function worker(page: Page): Worker {
  const newest = page.workers().at(-1);
  if (!newest) throw new Error("There is no engine worker.");
  return newest;
}
