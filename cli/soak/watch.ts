import fs from "node:fs";
import type { Browser, CDPSession, Page } from "@playwright/test";
import type { MemoryReading } from "@/protocol/engine";

/** What a page and its worker hold at one moment; bytes and counts by name. */
export type Reading = Readonly<Record<string, number>>;

/** What the worker tells of itself; see `observe`. */
interface Observed {
  pools?: MemoryReading;
  liveBuffers: number;
}

/** Runs first in the engine's worker: keeps the ledger's last state, and counts all live buffers. */
function observe(): void {
  const state: Observed = { liveBuffers: 0 };
  Object.assign(self, { keepsightObserved: state });
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const live = new WeakSet<GPUBuffer>();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    live.add(buffer);
    state.liveBuffers++;
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    if (live.delete(this)) state.liveBuffers--;
    return destroy.call(this);
  };
  const { postMessage } = self;
  self.postMessage = ((
    message: { event?: { type?: string; pools?: MemoryReading } },
    ...rest: []
  ) => {
    if (message.event?.type === "memory" && message.event.pools) state.pools = message.event.pools;
    postMessage.call(self, message, ...rest);
  }) as typeof postMessage;
}

/** Reads a page, its engine worker and its renderer process. */
export class Watch {
  readonly #page: Page;
  readonly #session: CDPSession;
  readonly #browser: CDPSession;
  #workerSession: string | undefined;
  #lastId = 0;

  private constructor(page: Page, session: CDPSession, browser: CDPSession) {
    this.#page = page;
    this.#session = session;
    this.#browser = browser;
  }

  /** Call before the page is opened. */
  static async start(browser: Browser, page: Page): Promise<Watch> {
    await page.context().route("**/assets/worker-*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `(${observe})();\n${await response.text()}` });
    });
    const session = await page.context().newCDPSession(page);
    const watch = new Watch(page, session, await browser.newBrowserCDPSession());
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") watch.#workerSession = sessionId;
    });
    await session.send("Performance.enable");
    await session.send("Target.setAutoAttach", {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    return watch;
  }

  async read(): Promise<Reading> {
    // Caches of the browser, of decoded images for instance, are no leak.
    await this.#session.send("Memory.simulatePressureNotification", { level: "critical" });
    await this.#session.send("HeapProfiler.collectGarbage");
    await this.#inWorker("HeapProfiler.collectGarbage");
    const { metrics } = await this.#session.send("Performance.getMetrics");
    const metric = (name: string) =>
      metrics.find((each) => each.name === name)?.value ?? Number.NaN;
    const worker = this.#page.workers().at(-1);
    const { pools, liveBuffers } = await worker!.evaluate(
      () => (self as unknown as { keepsightObserved: Observed }).keepsightObserved,
    );
    const { usedSize } = await this.#inWorker("Runtime.getHeapUsage");
    return {
      ...Object.fromEntries(
        Object.entries(pools ?? {}).map(([pool, bytes]) => [`pool ${pool}`, bytes]),
      ),
      "live GPU buffers": liveBuffers,
      "worker heap": usedSize ?? Number.NaN,
      "page heap": metric("JSHeapUsedSize"),
      "event listeners": metric("JSEventListeners"),
      "DOM nodes": metric("Nodes"),
      "renderer memory": await this.#privateBytes(),
      "IndexedDB rows": await this.#page.evaluate(countRows),
    };
  }

  /** Calls a method of the worker's debugger. */
  async #inWorker(method: string): Promise<{ readonly usedSize?: number }> {
    const sessionId = this.#workerSession;
    if (!sessionId) throw new Error("There is no engine worker.");
    const id = ++this.#lastId;
    const reply = new Promise<{ usedSize?: number }>((resolve) => {
      const hear = (event: { sessionId: string; message: string }) => {
        const { id: answered, result } = JSON.parse(event.message);
        if (event.sessionId !== sessionId || answered !== id) return;
        this.#session.off("Target.receivedMessageFromTarget", hear);
        resolve(result ?? {});
      };
      this.#session.on("Target.receivedMessageFromTarget", hear);
    });
    const message = JSON.stringify({ id, method });
    await this.#session.send("Target.sendMessageToTarget", { sessionId, message });
    return reply;
  }

  /** Private memory of the largest renderer process, which is the page's; 0 where /proc is missing. */
  async #privateBytes(): Promise<number> {
    const { processInfo } = await this.#browser.send("SystemInfo.getProcessInfo");
    const bytes = processInfo
      .filter(({ type }) => type === "renderer")
      .map(({ id }) => privateBytesOf(id));
    return Math.max(0, ...bytes);
  }
}

/** Without pages of files and memory shared with other processes, which Chromium's own work adds. */
function privateBytesOf(pid: number): number {
  const file = `/proc/${pid}/status`;
  const status = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Runs in the page. Rows of all stores of all databases. */
async function countRows(): Promise<number> {
  let rows = 0;
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name!);
    await new Promise((resolve, reject) => {
      opening.onsuccess = resolve;
      opening.onerror = reject;
    });
    const database = opening.result;
    for (const store of database.objectStoreNames) {
      const counting = database.transaction(store).objectStore(store).count();
      await new Promise((resolve) => {
        counting.onsuccess = resolve;
      });
      rows += counting.result;
    }
    database.close();
  }
  return rows;
}
