import { describe, expect, test } from "vitest";
import type { Explanation, ImageLayout, LayerReport } from "@/protocol/result";
import { result } from "../app/testing";
import {
  type ChatConversation,
  type Exchange,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { attentionOfWord, importanceOfImage, sinksOf, wordsAttendingTo } from "./wordAttention";

const ROWS = 20;
const positions = Array.from({ length: ROWS }, (_, row) => 6 + row);
const everything = [...Array(40).keys()];
const settings = (retention: number) =>
  ({ policy: "h2o", retention, scope: "visual", options: {} }) as const;

/** One layer, one step per character of the answer, which looks at the given row and at row 0. */
function attention(looks: readonly number[], ends: readonly number[]): Explanation {
  const cells = looks.flatMap((row) =>
    positions.map((_, each) => (each === row ? 127 : each === 0 ? 255 : 0)),
  );
  const answerAttention = {
    positions,
    layers: 1,
    steps: looks.length,
    ends,
    cells: Uint8Array.from(cells),
  };
  return { attention: answerAttention };
}

function answered(
  id: string,
  answer: string,
  retention: number,
  kept: readonly number[],
  explanation: Explanation,
) {
  const layers: readonly LayerReport[] = [{ rowsBefore: 40, rowsAfter: kept.length, kept }];
  const given = result({ answer, retention, layers, explanation });
  return { id, settings: settings(retention), run: { phase: "done", result: given } } as const;
}

function chat(...attempts: Exchange["attempts"]): ChatConversation {
  const exchange = { id: "e", images: ["p"], question: "", attempts };
  return withExchange(emptyConversation("c", 0), exchange);
}

const full = answered("full", "a b c d", 1, everything, attention([3, 4, 5, 6], [1, 3, 5, 7]));
// Says another word than the full cache where it dropped the row that one looked at: 6 + 4.
const tenth = answered(
  "tenth",
  "a x c d",
  0.1,
  everything.filter((position) => position !== 10),
  attention([3, 9, 5, 6], [1, 3, 5, 7]),
);

describe("a word", () => {
  test("shows the rows that its step looked at, and what of them the full cache saw alone", () => {
    const word = attentionOfWord(chat(full, tenth), { attempt: "tenth", word: 1 }, 0)!;
    expect(word.text).toBe("x");
    expect(word.strongest).toEqual([15]);
    expect(word.light.get(15)).toBe(1);
    expect(word.reference).toEqual({ text: "b", missed: [10] });
  });

  test("misses nothing that its policy kept, and has no reference without a full answer", () => {
    const kept = attentionOfWord(chat(full, tenth), { attempt: "tenth", word: 2 }, "all")!;
    expect(kept.reference).toEqual({ text: "c", missed: [] });
    expect(
      attentionOfWord(chat(tenth), { attempt: "tenth", word: 1 }, 0)!.reference,
    ).toBeUndefined();
    expect(attentionOfWord(chat(full), { attempt: "full", word: 1 }, 0)!.reference).toBeUndefined();
  });

  test("over all layers misses what the full cache saw in layers that dropped it", () => {
    // Two layers: the full cache's second word looks at row 4 in the second one alone.
    const attending = (first: number, second: number, rest: number) =>
      Uint8Array.from(
        [0, 1].flatMap(() =>
          [first, second].flatMap((value) =>
            positions.map((_, row) => (row === 4 ? value : row === 9 ? rest : 0)),
          ),
        ),
      );
    const two = (first: number, second: number): Explanation => {
      const cells = attending(first, second, 20);
      return { attention: { positions, layers: 2, steps: 2, ends: [1, 3], cells } };
    };
    const whole = [1, 1].map(() => ({ rowsBefore: 40, rowsAfter: 40, kept: everything }));
    const missed = (kept: readonly (readonly number[])[]) => {
      const one = answered("full", "a b", 1, [], two(0, 200));
      const seen = { ...one, run: { ...one.run, result: { ...one.run.result, layers: whole } } };
      const other = answered("o", "a b", 0.1, [], two(0, 0));
      const layers = kept.map((each) => ({ rowsBefore: 40, rowsAfter: each.length, kept: each }));
      const own = { ...other, run: { ...other.run, result: { ...other.run.result, layers } } };
      return attentionOfWord(chat(seen, own), { attempt: "o", word: 1 }, "all")!.reference!.missed;
    };
    expect(missed([everything, [6]])).toEqual([10]);
    expect(missed([[6], everything])).toEqual([]);
  });

  test("misses nothing that its first step could still look at", () => {
    const early = answered("early", "x b c d", 0.1, [6, 7], attention([3, 4, 5, 6], [1, 3, 5, 7]));
    const wordOf = (word: number) =>
      attentionOfWord(chat(full, early), { attempt: "early", word }, 0)!;
    expect(wordOf(0).reference).toEqual({ text: "a", missed: [] });
    expect(wordOf(1).reference).toEqual({ text: "b", missed: [10] });
  });

  test("that is not there, or was not recorded, shows nothing", () => {
    expect(attentionOfWord(chat(tenth), { attempt: "tenth", word: 4 }, 0)).toBeUndefined();
    expect(attentionOfWord(chat(tenth), { attempt: "gone", word: 0 }, 0)).toBeUndefined();
    const silent = answered("silent", "a", 1, everything, {});
    expect(attentionOfWord(chat(silent), { attempt: "silent", word: 0 }, 0)).toBeUndefined();
  });

  test("beyond the recorded steps lights nothing", () => {
    const short = answered("short", "a b", 1, everything, attention([3], [1]));
    const word = attentionOfWord(chat(short), { attempt: "short", word: 1 }, 0)!;
    expect([word.light.size, word.strongest.length]).toEqual([0, 0]);
  });

  test("is found from a patch", () => {
    expect(wordsAttendingTo(tenth, 15, 0)).toEqual([1]);
    // A sink: every word got something from it, and none of them looked at it.
    expect(wordsAttendingTo(tenth, 6, "all")).toEqual([]);
    expect([...sinksOf(tenth, 0)]).toEqual([6]);
    expect(wordsAttendingTo(tenth, 20, 0)).toEqual([]);
    expect(wordsAttendingTo(tenth, 999, 0)).toEqual([]);
  });
});

describe("scores of an image's rows", () => {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const layout: ImageLayout = {
    image: "p",
    width: 1,
    height: 1,
    tiles: [{ firstPosition: 6, gridRows: 4, gridColumns: 5, box }],
  };
  const importance = { positions, scores: new Float32Array(ROWS) };
  const turn = (id: string, appended: boolean, explanation?: Explanation): Exchange => ({
    id,
    images: [],
    question: "",
    attempts: [
      {
        id,
        settings: settings(0.1),
        run: {
          phase: "done",
          result: result({ appended, ...(explanation ? { explanation } : {}) }),
        },
      },
    ],
  });
  const conversation = (...turns: readonly Exchange[]) =>
    turns.reduce(withExchange, emptyConversation("c", 0));

  test("are the answer's own, or of the turn that brought the image", () => {
    const own = conversation(turn("a", false, { importance }));
    expect(importanceOfImage(own, "a", layout)).toBe(importance);
    const appended = conversation(
      turn("a", false, { importance }),
      turn("b", true),
      turn("c", true),
    );
    expect(importanceOfImage(appended, "c", layout)).toBe(importance);
  });

  test("are not another prefill's, nor another image's", () => {
    const anew = conversation(turn("a", false, { importance }), turn("b", false));
    expect(importanceOfImage(anew, "b", layout)).toBeUndefined();
    const elsewhere = { ...layout, tiles: [{ ...layout.tiles[0]!, firstPosition: 700 }] };
    expect(importanceOfImage(anew, "a", elsewhere)).toBeUndefined();
    expect(importanceOfImage(anew, "gone", layout)).toBeUndefined();
  });
});
