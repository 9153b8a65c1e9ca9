import type { ByteRange } from "./byteRange";

/** A download without bytes for this long, in ms, is a broken connection. */
const STALL_MS = 20_000;

/**
 * A file during its download. Readers of a part receive its bytes as they arrive, so reading a file
 * in ranges costs one transfer and does not wait for its end.
 */
export class Download {
  readonly size: number;
  readonly type: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #failure: unknown;
  #waiting: (() => void)[] = [];
  /** The whole file. @throws if it is too short, too long or interrupted. */
  readonly whole: Promise<Uint8Array<ArrayBuffer>>;

  constructor(body: ReadableStream<Uint8Array>, size: number, type: string) {
    this.size = size;
    this.type = type;
    this.#bytes = new Uint8Array(size);
    this.whole = this.#fill(body.getReader()).catch((failure: unknown) => {
      this.#failure = failure;
      throw failure;
    });
    this.whole.catch(() => undefined).finally(() => this.#wake());
  }

  part({ start, end }: ByteRange): ReadableStream<Uint8Array> {
    let at = start;
    return new ReadableStream({
      pull: async (controller) => {
        while (this.#filled <= at && this.#failure === undefined) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        if (this.#filled <= at) throw this.#failure;
        const until = Math.min(end, this.#filled);
        controller.enqueue(this.#bytes.slice(at, until));
        at = until;
        if (at === end) controller.close();
      },
    });
  }

  async #fill(reader: ReadableStreamDefaultReader<Uint8Array>) {
    while (true) {
      // Ends the body early, so that it is too short.
      const timer = setTimeout(() => void reader.cancel().catch(() => undefined), STALL_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) break;
      this.#bytes.set(value, this.#filled);
      this.#filled += value.length;
      this.#wake();
    }
    if (this.#filled === this.#bytes.length) return this.#bytes;
    throw new RangeError(`${this.#filled} of ${this.#bytes.length} bytes came`);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
