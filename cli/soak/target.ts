import type { CDPSession } from "@playwright/test";

type Result = Readonly<Record<string, unknown>>;
type Send = (method: string, parameters: object) => Promise<unknown>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Result;
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

/** Gives what arrives for one of a target's sessions. */
interface Arrival {
  readonly sessionId: string;
  readonly message: string;
}

/**
 * A page or a worker under a debugger that enables nothing. Playwright follows the network and the objects of every
 * page that it opens, and the renderer keeps records of both for it: here they would be taken for a leak.
 */
export class Target {
  readonly sessionId: string;
  readonly #parent: Send;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners: ((method: string, parameters: Result) => void)[] = [];
  #lastId = 0;

  /** @param parent sends to the target that has attached to this one */
  constructor(parent: Send, sessionId: string) {
    this.#parent = parent;
    this.sessionId = sessionId;
  }

  /** Opens an empty page in a context that Playwright does not know. */
  static async open(browser: CDPSession): Promise<Target> {
    const { browserContextId } = await browser.send("Target.createBrowserContext");
    const { targetId } = await browser.send("Target.createTarget", {
      ...{ url: "about:blank", browserContextId },
    });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: false });
    const page = new Target(browser.send.bind(browser) as Send, sessionId);
    browser.on("Target.receivedMessageFromTarget", (arrival: Arrival) => page.#hear(arrival));
    return page;
  }

  /** Opens an address, without a service worker. Resolves when the page has loaded. */
  async load(url: string): Promise<void> {
    const source = "delete Navigator.prototype.serviceWorker";
    await this.send("Page.enable");
    await this.send("Page.addScriptToEvaluateOnNewDocument", { source });
    const loaded = new Promise<void>((resolve) =>
      this.#listeners.push((method) => {
        if (method === "Page.loadEventFired") resolve();
      }),
    );
    await this.send("Page.navigate", { url });
    await loaded;
    await this.send("Page.disable");
  }

  /** Calls back with every worker. */
  async eachWorker(call: (worker: Target) => void): Promise<void> {
    let workers: readonly Target[] = [];
    this.#listeners.push((method, parameters) => {
      if (method === "Target.receivedMessageFromTarget") {
        for (const worker of workers) worker.#hear(parameters as unknown as Arrival);
      }
      if (method === "Target.detachedFromTarget") {
        workers = workers.filter(({ sessionId }) => sessionId !== parameters.sessionId);
      }
      if (method !== "Target.attachedToTarget") return;
      const worker = new Target(this.send.bind(this), String(parameters.sessionId));
      workers = [...workers, worker];
      call(worker);
    });
    const options = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };
    await this.send("Target.setAutoAttach", options);
  }

  /** @throws Error with the browser's message */
  async send<T = Result>(method: string, parameters: object = {}): Promise<T> {
    const id = ++this.#lastId;
    const reply = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params: parameters });
    await this.#parent("Target.sendMessageToTarget", { sessionId: this.sessionId, message });
    const { result, error } = await reply;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** The value of an expression, or of its promise. @throws Error if it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<{
      readonly result: { readonly value: T };
      readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  }

  #hear({ sessionId, message }: Arrival): void {
    if (sessionId !== this.sessionId) return;
    const heard = JSON.parse(message) as Message;
    if (heard.method) for (const tell of this.#listeners) tell(heard.method, heard.params ?? {});
    if (heard.id === undefined) return;
    this.#waiting.get(heard.id)?.(heard);
    this.#waiting.delete(heard.id);
  }
}
