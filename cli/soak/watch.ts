import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { CDPSession } from "@playwright/test";
import type { MemoryReading } from "@/protocol/event";
import type { Target } from "./target";

/** What a page and its worker hold at one moment; bytes and counts by name. */
export type Reading = Readonly<Record<string, number>>;

/** What the worker tells of itself; see `observe`. */
interface Observed {
  pools?: MemoryReading;
  liveBuffers: number;
}

/** Answer of `Memory.getDOMCounters`. */
interface Counters {
  readonly nodes: number;
  readonly jsEventListeners: number;
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

/** A copy of the built scripts in which the engine's worker observes itself. @returns its folder */
export function observedScripts(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-soak-"));
  fs.cpSync("dist/assets", folder, { recursive: true });
  const name = fs.readdirSync(folder).find((each) => /^worker-.*\.js$/.test(each));
  if (!name) throw new Error("The build has no worker.");
  const file = path.join(folder, name);
  fs.writeFileSync(file, `(${observe})();\n${fs.readFileSync(file, "utf8")}`);
  return folder;
}

/** Reads a page, its engine worker and its renderer process. */
export class Watch {
  readonly #page: Target;
  readonly #browser: CDPSession;
  #worker: Target | undefined;

  private constructor(page: Target, browser: CDPSession) {
    this.#page = page;
    this.#browser = browser;
  }

  /** Call before the page is opened. */
  static async start(browser: CDPSession, page: Target): Promise<Watch> {
    const watch = new Watch(page, browser);
    await page.eachWorker((worker) => {
      watch.#worker = worker;
    });
    return watch;
  }

  async read(): Promise<Reading> {
    const page = this.#page;
    const worker = this.#worker;
    if (!worker) throw new Error("There is no engine worker.");
    // Caches of the browser, of decoded images for instance, are no leak.
    await page.send("Memory.simulatePressureNotification", { level: "critical" });
    await page.send("HeapProfiler.collectGarbage");
    await worker.send("HeapProfiler.collectGarbage");
    const observed = await worker.evaluate<Observed>("keepsightObserved");
    const pools = Object.entries(observed.pools ?? {});
    const counters = await page.send<Counters>("Memory.getDOMCounters");
    return {
      ...Object.fromEntries(pools.map(([pool, bytes]) => [`pool ${pool}`, bytes])),
      "live GPU buffers": observed.liveBuffers,
      "worker heap": await usedHeap(worker),
      "page heap": await usedHeap(page),
      "event listeners": counters.jsEventListeners,
      "DOM nodes": counters.nodes,
      "renderer memory": await this.#privateBytes(),
      "IndexedDB rows": await page.evaluate<number>(`(${countRows})()`),
    };
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

async function usedHeap(target: Target): Promise<number> {
  const { usedSize } = await target.send<{ readonly usedSize: number }>("Runtime.getHeapUsage");
  return usedSize;
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
