import type { Page } from "@playwright/test";

const POLICIES = ["full", "aircache", "prefixkv", "h2o", "snapkv", "streaming"];
const IMAGES = ["fixtures/vision/picture.png", "fixtures/images/rotated-exif6.jpg"];
const WORDS = ["total", "date", "left", "colour", "how", "many", "what", "is", "the", "text"];
const ANSWER_MS = 120_000;

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs in the page. Typing and Playwright's `fill` add to the field's undo list, of which the browser keeps 1 000
 * entries with two nodes each; a value that a script sets does not. React hears it only past its own setter.
 */
function enter(field: HTMLElement | SVGElement, text: string): void {
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")!;
  set!.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A person with the page, whose choices follow from a seed. */
export class Visitor {
  readonly #page: Page;
  readonly #random: () => number;
  #asked = 0;

  constructor(page: Page, seed: number) {
    this.#page = page;
    this.#random = randomFrom(seed);
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
    const page = this.#page;
    await page.getByRole("button", { name: "History", exact: true }).click();
    const remove = page.locator("#library-panel li").getByRole("button", { name: /^Delete / });
    while ((await remove.count()) > 0) {
      const before = await remove.count();
      await remove.first().click();
      await page.waitForFunction(
        (count) => document.querySelectorAll("#library-panel li").length < count,
        before,
      );
    }
    await page.keyboard.press("Escape");
    await this.#choosePolicy("full");
    await this.#ask("What is shown here?");
  }

  async #ask(question: string): Promise<void> {
    await this.#send(question);
    await this.#ended(question);
  }

  async #askAndStop(): Promise<void> {
    const question = this.#question();
    await this.#send(question);
    const stop = this.#page.getByRole("button", { name: "Stop", exact: true });
    await stop.click({ timeout: 500 }).catch(() => undefined); // the answer was faster
    await this.#ended(question);
  }

  async #compare(): Promise<void> {
    const toggle = this.#page.locator("form").getByRole("button", { name: "Compare" });
    await toggle.click();
    await this.#ask(this.#question());
    await toggle.click();
  }

  async #send(question: string): Promise<void> {
    await this.#page
      .getByRole("textbox", { name: "Question", exact: true })
      .evaluate(enter, question);
    // Waits until the page may ask: it is also busy after an answer, while it compares it.
    await this.#page.getByRole("button", { name: "Ask", exact: true }).click();
  }

  async #addImage(file: string): Promise<void> {
    await this.#page.getByLabel("Images to add").first().setInputFiles(file);
  }

  async #choosePolicy(policy: string): Promise<void> {
    await this.#page.getByLabel("Policy", { exact: true }).selectOption(policy);
  }

  /** Waits until every answer to a question has ended. */
  async #ended(question: string): Promise<void> {
    await this.#page.waitForFunction(
      (name) => {
        const group = document.querySelector(`[role=group][aria-label="${name}"]`);
        const answers = [...(group?.querySelectorAll<HTMLElement>("article[data-phase]") ?? [])];
        const hasEnded = ({ dataset }: HTMLElement) => /done|failed/.test(dataset.phase ?? "");
        return answers.length > 0 && answers.every(hasEnded);
      },
      question,
      { timeout: ANSWER_MS },
    );
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
