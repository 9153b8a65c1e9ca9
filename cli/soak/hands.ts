/**
 * What a visitor does in the page. The class is sent there as text, and needs no handles of a debugger on the
 * page's elements.
 */
export class Hands {
  static readonly WAIT_MS = 120_000;

  /** Presses a button when it can be pressed. @param scope selector of what holds it */
  async press(scope: string, name: string): Promise<void> {
    (await this.#until(() => this.#button(scope, name))).click();
  }

  /** Presses *Stop*, unless the answer is faster. */
  async stop(): Promise<void> {
    const stop = await this.#until(() => this.#button("form", "Stop"), 500).catch(() => undefined);
    stop?.click();
  }

  /** Sets the question: unlike typing, that leaves no entries in the field's undo list of 1 000. */
  enter(question: string): void {
    this.#set(document.querySelector("textarea[aria-label=Question]")!, question, "input");
  }

  choosePolicy(policy: string): void {
    this.#set(document.querySelector<HTMLSelectElement>("#policy")!, policy, "change");
  }

  /** @param base64 the file's bytes */
  addImage(name: string, base64: string): void {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], name));
    const input = document.querySelector<HTMLInputElement>("input[aria-label='Images to add']")!;
    input.files = given.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Deletes every conversation under *History*, one by one. */
  async deleteAll(): Promise<void> {
    const library = document.querySelector<HTMLElement>("#library-panel")!;
    library.showPopover();
    for (let left = library.querySelectorAll("li").length; left > 0; left--) {
      const remove = [...library.querySelectorAll("button")].find((each) =>
        this.#nameOf(each).startsWith("Delete "),
      );
      remove!.click();
      await this.#until(() => library.querySelectorAll("li").length < left);
    }
    library.hidePopover();
  }

  /** Waits until the model is loaded. */
  async ready(): Promise<void> {
    await this.#until(() => document.querySelector("[class*=contextWord]"));
  }

  /** Waits until every answer to a question has ended. */
  async ended(question: string): Promise<void> {
    await this.#until(() => {
      const answers = [...document.querySelectorAll("[role=group]")]
        .filter((group) => group.ariaLabel === question)
        .flatMap((group) => [...group.querySelectorAll<HTMLElement>("article[data-phase]")]);
      const hasEnded = ({ dataset }: HTMLElement) => /done|failed/.test(dataset.phase ?? "");
      return answers.length > 0 && answers.every(hasEnded);
    });
  }

  #nameOf(element: HTMLElement): string {
    return (element.ariaLabel ?? element.textContent ?? "").trim();
  }

  #button(scope: string, name: string): HTMLButtonElement | undefined {
    const buttons = document.querySelectorAll<HTMLButtonElement>(`${scope} button`);
    return [...buttons].find((each) => this.#nameOf(each) === name && !each.disabled);
  }

  /** React hears a value only past its own setter. */
  #set(field: HTMLTextAreaElement | HTMLSelectElement, value: string, event: string): void {
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value")!;
    set!.call(field, value);
    field.dispatchEvent(new Event(event, { bubbles: true }));
  }

  async #until<T>(look: () => T, ms = Hands.WAIT_MS): Promise<NonNullable<T>> {
    const end = performance.now() + ms;
    for (;;) {
      const found = look();
      if (found) return found;
      if (performance.now() > end) throw new Error(`Not within ${ms} ms: ${look}`);
      await new Promise((again) => setTimeout(again, 20));
    }
  }
}
