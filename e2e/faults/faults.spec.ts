import fs from "node:fs";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { EnginePage, must, type Outcome } from "../../cli/shared/enginePage";
import type { EngineEvent } from "../../src/protocol/event";
import type { EngineFailure } from "../../src/protocol/failure";
import type { TurnResult } from "../../src/protocol/result";
import { test } from "../test";
import { arm, disarm, FAULTS, type Fault, injectFaults, type Trigger } from "./injection";

/**
 * Everything that can go wrong at every stage, with the built engine and a tiny random model. What happens
 * is compared with the table in the documentation; UPDATE_FAULTS=1 writes it.
 */

const MODEL = "models/tiny-smolvlm/";
const DOCUMENT = "docs/reliability.md";

const settings = { policy: "aircache", retention: 0.5 };
const question = {
  turns: [{ images: ["picture"], question: "What is shown in this image?" }],
  settings,
  sampling: { maxNewTokens: 3 },
  fresh: true,
};
const comparison = { ...question, lanes: [settings, { policy: "streaming", retention: 0.5 }] };

/** The stages, and how each one is reached. */
const STAGES: Readonly<Record<string, { readonly trigger?: Trigger; readonly act: Act }>> = {
  load: { trigger: { type: "load" }, act: (engine) => engine.load(MODEL) },
  vision: { trigger: { type: "stage", stage: "vision" }, act: ask },
  prefill: { trigger: { type: "stage", stage: "prefill" }, act: ask },
  score: { trigger: { type: "stage", stage: "score" }, act: ask },
  plan: { trigger: { type: "stage", stage: "plan" }, act: ask },
  compact: { trigger: { type: "stage", stage: "compact" }, act: ask },
  decode: { trigger: { type: "stage", stage: "decode" }, act: ask },
  idle: { act: () => Promise.resolve({ value: undefined }) },
  compare: {
    trigger: { type: "stage", stage: "decode", lane: 1 },
    act: (engine) => engine.compare(comparison),
  },
};
const NAMES: Readonly<Record<Fault, string>> = {
  deviceLost: "device lost",
  workerEnded: "worker ended",
  fetchCut: "connection cut",
  allocationRefused: "buffer refused",
};

type Act = (engine: EnginePage) => Promise<Outcome<unknown>>;

function ask(engine: EnginePage): Promise<Outcome<TurnResult>> {
  return engine.ask(question);
}

/** What a person would see. */
function told({ value, failure }: Outcome<unknown>): string {
  if (failure) return `\`${failure.code}\``;
  const lanes = [value].flat() as readonly (Partial<TurnResult> & { failure?: EngineFailure })[];
  const codes = lanes.flatMap((lane, i) =>
    lane?.failure ? [`lane ${i + 1} \`${lane.failure.code}\``] : [],
  );
  if (codes.length > 0) return codes.join(", ");
  const [result] = lanes;
  return result?.finish === "memory" ? "the answer ends early (`memory`)" : "answered";
}

class Cells {
  readonly #page: Page;
  readonly #engine: EnginePage;
  #expected: readonly number[] = [];

  constructor(page: Page, engine: EnginePage) {
    this.#page = page;
    this.#engine = engine;
  }

  /** Loads the model and asks; every recovery must give the same answer. */
  async begin(): Promise<void> {
    must(await this.#engine.load(MODEL));
    this.#expected = must(await ask(this.#engine)).tokenIds;
    expect(this.#expected.length).toBe(3);
  }

  /** Provokes one fault, observes it, and recovers as the page does. */
  async run(stage: string, fault: Fault): Promise<string> {
    const { trigger, act } = STAGES[stage]!;
    const engine = this.#engine;
    await engine.clear();
    await engine.heard();
    await arm(this.#page, fault, trigger);
    const outcome = await act(engine);
    const isGone = fault === "deviceLost" || fault === "workerEnded";
    if (isGone) {
      // An idle engine has nothing that fails: the event alone tells the page.
      await expect.poll(() => this.#lost()).toBe(1);
      expect((await ask(engine)).failure?.code).toBe("noModel");
      await this.#recover("load");
      return outcome.failure ? told(outcome) : "`deviceLost` event";
    }
    const { began, fetches, buffers } = await disarm(this.#page);
    expect(began, "the stage was reached").toBe(true);
    if (fetches + buffers === 0) {
      this.#isUnharmed(outcome);
      return fault === "fetchCut" ? "– (no request)" : "– (no buffer)";
    }
    if (stage === "load")
      expect(Object.values(await engine.memory()).every((n) => n === 0)).toBe(true);
    await this.#recover(stage === "load" ? "load" : "ask");
    return told(outcome);
  }

  /** A fault that met nothing changes no answer. */
  #isUnharmed({ value, failure }: Outcome<unknown>): void {
    expect(failure).toBe(undefined);
    for (const one of [value ?? []].flat()) {
      const { tokenIds, result } = one as Partial<TurnResult> & { readonly result?: TurnResult };
      // The first lane of a comparison has the question's own settings.
      if (tokenIds) expect(tokenIds).toEqual(this.#expected);
      else expect(result?.tokenIds.length).toBe(this.#expected.length);
    }
  }

  async #recover(by: "load" | "ask"): Promise<void> {
    if (by === "load") must(await this.#engine.load(MODEL));
    expect(must(await ask(this.#engine)).tokenIds).toEqual(this.#expected);
  }

  #events: EngineEvent[] = [];

  async #lost(): Promise<number> {
    this.#events.push(...(await this.#engine.heard()));
    const lost = this.#events.filter(({ type }) => type === "deviceLost").length;
    if (lost > 0) this.#events = [];
    return lost;
  }
}

/** The part of the document between its marks. */
function section(text: string): {
  readonly before: string;
  readonly table: string;
  readonly after: string;
} {
  const [start, end] = ["<!-- faults -->\n", "<!-- /faults -->"].map((mark) => text.indexOf(mark));
  if (start === undefined || end === undefined || start < 0 || end < start)
    throw new Error(`${DOCUMENT} has no place for the table.`);
  const from = start + "<!-- faults -->\n".length;
  return { before: text.slice(0, from), table: text.slice(from, end), after: text.slice(end) };
}

test("every fault at every stage is told, and the next question is answered", async ({ page }) => {
  test.setTimeout(300_000);
  await injectFaults(page);
  const engine = await EnginePage.open(page);
  engine.addImage("picture", "fixtures/vision/picture.png");
  const cells = new Cells(page, engine);
  await cells.begin();
  const rows = [
    `| stage | ${FAULTS.map((fault) => NAMES[fault]).join(" | ")} |`,
    `| --- |${" --- |".repeat(FAULTS.length)}`,
  ];
  for (const stage of Object.keys(STAGES)) {
    const row: string[] = [];
    for (const fault of FAULTS) {
      row.push(await test.step(`${stage}: ${NAMES[fault]}`, () => cells.run(stage, fault)));
    }
    rows.push(`| ${stage} | ${row.join(" | ")} |`);
  }
  const table = `${rows.join("\n")}\n`;
  const document = fs.readFileSync(DOCUMENT, "utf8");
  const { before, table: written, after } = section(document);
  if (process.env.UPDATE_FAULTS) fs.writeFileSync(DOCUMENT, before + table + after);
  else expect(table).toBe(written);
});

test("the build has no way to inject a fault", () => {
  const files = fs
    .readdirSync("dist", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|mjs|html)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
  expect(files.some((file) => /worker-[\w-]+\.js$/.test(file))).toBe(true);
  const found = files.filter((file) => /keepsightFault/i.test(fs.readFileSync(file, "utf8")));
  expect(found).toEqual([]);
});
