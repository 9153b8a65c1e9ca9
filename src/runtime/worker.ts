import type { Message, Request } from "@/protocol/messages";
import { LocalEngine } from "./engine";
import { asEngineError } from "./failures";

/** The message loop: requests in, results, failures and events out. */
const engine = new LocalEngine();

engine.subscribe((event) => post({ type: "event", event }));

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  try {
    post({ type: "result", id, value: await run(data) });
  } catch (error) {
    const { failure } = asEngineError(error);
    if (failure.code === "internal") console.error(error);
    post({ type: "failure", id, failure });
  }
};

function run(request: Request): Promise<unknown> {
  const { call, args } = request;
  switch (call) {
    case "load":
      return engine.load(...args);
    case "ask":
      return engine.ask(...args);
    case "compare":
      return engine.compare(...args);
    case "cancel":
      return engine.cancel();
    case "preview":
      return engine.preview(...args);
    case "clear":
      return engine.clear();
    case "memory":
      return engine.memory();
    default:
      throw new TypeError(`no such call: ${JSON.stringify(request satisfies never)}`);
  }
}

function post(message: Message): void {
  self.postMessage(message);
}
