import fs from "node:fs";
import path from "node:path";
import { Hands } from "./hands";
import type { Target } from "./target";

const POLICIES = ["full", "aircache", "prefixkv", "h2o", "snapkv", "streaming"];
const IMAGES = ["fixtures/vision/picture.png", "fixtures/images/rotated-exif6.jpg"];
const WORDS = ["total", "date", "left", "colour", "how", "many", "what", "is", "the", "text"];

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A person with the page, whose choices follow from a seed. */
export class Visitor {
  readonly #page: Target;
  readonly #random: () => number;
  #asked = 0;

  private constructor(page: Target, seed: number) {
    this.#page = page;
    this.#random = randomFrom(seed);
  }

  /** Waits for the page's model. */
  static async arrive(page: Target, seed: number): Promise<Visitor> {
    await page.evaluate(`void (globalThis.hands = new (${Hands})())`);
    const visitor = new Visitor(page, seed);
    await visitor.#do("ready");
    return visitor;
  }

  /** Asks `turns` questions in one conversation, in every way that the page offers. */
  async converse(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      if (this.#random() < 0.3) await this.#choosePolicy(this.#one(POLICIES));
      if (this.#random() < 0.15) await this.#addImage(this.#one(IMAGES));
      const kind = this.#random();
      if (kind < 0.1) await this.#compare();
      else if (kind < 0.2) await this.#askAndStop();
      else await this.#ask(this.#question());
    }
  }

  /** Deletes all conversations and asks one plain question, so that readings are of one state. */
  async startOver(): Promise<void> {
    await this.#do("deleteAll");
    await this.#choosePolicy("full");
    await this.#ask("What is shown here?");
  }

  async #ask(question: string): Promise<void> {
    await this.#send(question);
    await this.#do("ended", question);
  }

  async #askAndStop(): Promise<void> {
    const question = this.#question();
    await this.#send(question);
    await this.#do("stop");
    await this.#do("ended", question);
  }

  async #compare(): Promise<void> {
    await this.#do("press", "form", "Compare");
    await this.#ask(this.#question());
    await this.#do("press", "form", "Compare");
  }

  async #send(question: string): Promise<void> {
    await this.#do("enter", question);
    // Waits until the page may ask: it is also busy after an answer, while it compares it.
    await this.#do("press", "form", "Ask");
  }

  async #addImage(file: string): Promise<void> {
    await this.#do("addImage", path.basename(file), fs.readFileSync(file, "base64"));
  }

  async #choosePolicy(policy: string): Promise<void> {
    await this.#do("choosePolicy", policy);
  }

  async #do<K extends keyof Hands>(action: K, ...given: Parameters<Hands[K]>): Promise<void> {
    const list = given.map((each) => JSON.stringify(each));
    await this.#page.evaluate(`hands.${action}(${list})`);
  }

  /** No two are equal: the page answers a repeated question in its place. */
  #question(): string {
    const words = Array.from({ length: 2 + Math.floor(8 * this.#random()) }, () =>
      this.#one(WORDS),
    );
    this.#asked++;
    return `${words.join(" ")} ${this.#asked}?`;
  }

  #one<T>(list: readonly T[]): T {
    return list[Math.floor(list.length * this.#random())] as T;
  }
}
