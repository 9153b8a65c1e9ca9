import { createStore } from "zustand/vanilla";
import type { EngineEvent } from "@/protocol/event";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { type Exchange, turnsUntil } from "../conversation/conversation";
import type { ReadonlyStore } from "../readonlyStore";
import { FULL } from "../settings/settings";
import { framesOf } from "./asking";
import type { Chat } from "./chat";

/** Percent that are tried, from the largest on. */
export const SWEPT = [50, 30, 20, 10, 5, 3, 2, 1] as const;
const UNANSWERED: EngineFailure = { code: "cancelled", message: "" };
/** Tokens of each answer at most. */
const MAX_TOKENS = 32;

/** The answer at one share. */
interface SweptShare {
  readonly percent: number;
  readonly answer: string;
  /** Whether it is the full cache's answer. */
  readonly isSame: boolean;
  readonly kvBytes: number;
}

export type SweepState =
  | { readonly phase: "idle" }
  | {
      readonly phase: "running";
      readonly exchange: string;
      /** Answers that are complete, of all that are asked for: the shares, the settings' own, the full cache's. */
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly phase: "done";
      readonly exchange: string;
      readonly settings: CacheSettings;
      readonly reference: string;
      readonly swept: readonly SweptShare[];
    }
  | { readonly phase: "failed"; readonly exchange: string; readonly failure: EngineFailure };

/** *How low can it go?*: one question at falling shares, from forks of one prefill. */
export interface Sweep {
  readonly store: ReadonlyStore<SweepState>;
  /** Asks the question of an exchange again. Does nothing while an answer is given. */
  run(exchange: Exchange): Promise<void>;
}

export function createSweep(
  chat: Chat,
  next: () => CacheSettings,
  sampling: () => Sampling,
  model: () => string | undefined,
): Sweep {
  const store = createStore<SweepState>(() => ({ phase: "idle" }));

  function progress(exchange: string, total: number) {
    /** When each lane's newest token came, counted in tokens. */
    const newest = new Map<number, number>();
    let [tokens, done] = [0, 0];
    return (event: EngineEvent) => {
      if (event.type !== "token") return;
      const { lane = 0 } = event;
      const before = newest.get(lane) ?? 0;
      newest.set(lane, ++tokens);
      // Lanes without a token between two of another lane have ended, whether they decode together or not.
      const ended = [...newest.values()].filter((token) => token < before).length;
      if (ended <= done) return;
      done = ended;
      store.setState({ phase: "running", exchange, done, total }, true);
    };
  }

  async function run(exchange: Exchange): Promise<void> {
    const { conversation } = chat.store.getState();
    const settings = next();
    // The first lane's cache is kept: with the next settings the conversation goes on from it.
    const own = Math.round(settings.retention * 100);
    const shares = [own, ...SWEPT.filter((percent) => percent !== own)];
    const lanes = shares.map((percent) => ({ ...settings, retention: percent / 100 }));
    lanes.push({ ...settings, policy: FULL, retention: 1, options: {} });
    const images = Object.fromEntries(conversation.images.map(({ id, blob }) => [id, blob]));
    const frames = framesOf(conversation);
    await chat.borrow(async (engine) => {
      const total = lanes.length;
      store.setState({ phase: "running", exchange: exchange.id, done: 0, total }, true);
      const unsubscribe = engine.subscribe(progress(exchange.id, total));
      try {
        const outcomes = await engine.compare({
          turns: turnsUntil(conversation, exchange.id, model()),
          ...{ images, lanes, ...(frames && { frames }) },
          sampling: { ...sampling(), maxNewTokens: MAX_TOKENS },
        });
        const full = outcomes.at(-1);
        const reference = full?.result?.answer;
        if (reference === undefined) throw new EngineError(full?.failure ?? UNANSWERED);
        const results = new Map(shares.map((percent, lane) => [percent, outcomes[lane]?.result]));
        const swept = sharesOf(results, reference);
        const done = { exchange: exchange.id, settings, reference, swept };
        store.setState({ phase: "done", ...done }, true);
      } catch (error) {
        store.setState({ phase: "failed", exchange: exchange.id, failure: toFailure(error) }, true);
      } finally {
        unsubscribe();
      }
    });
  }

  return { store, run };
}

/** A share that failed, for lack of memory, is left out. */
function sharesOf(
  results: ReadonlyMap<number, TurnResult | undefined>,
  reference: string,
): readonly SweptShare[] {
  return SWEPT.flatMap((percent) => {
    const result = results.get(percent);
    if (!result) return [];
    const isSame = result.answer.trim() === reference.trim();
    return [{ percent, answer: result.answer, isSame, kvBytes: result.kvBytes.end }];
  });
}

/** The smallest share from which on all larger ones gave the full cache's answer; 100 if none did. */
export function smallestSame(swept: readonly SweptShare[]): number {
  const firstOther = swept.findIndex(({ isSame }) => !isSame);
  const same = firstOther < 0 ? swept : swept.slice(0, firstOther);
  return same.at(-1)?.percent ?? 100;
}
