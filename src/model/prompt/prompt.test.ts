import { describe, expect, it } from "vitest";
import reference from "../../../fixtures/vision/reference.json";
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import { idefics3Markup } from "../families/idefics3/markup";
import { tiledGeometry } from "../families/tiledGeometry";
import { PromptBuilder } from "./prompt";
import { Tokenizer } from "./tokenizer";

const tiny = await load("tiny-smolvlm");
const mini = await load("keepsight-mini");
const tinyPrompt = new PromptBuilder(tiny, idefics3Markup(4), [5]);
const miniPrompt = new PromptBuilder(mini, idefics3Markup(3), [2]);

function load(model: string): Promise<Tokenizer> {
  return Tokenizer.load(new ModelFiles(diskUrl(`public/models/${model}`), { fetch: diskFetch }));
}

const page = { key: "page", ...tiledGeometry({ rows: 0, columns: 0 }, 576) };
const total = { images: [page], question: "What is the total?" };

describe("prompt", () => {
  it("gives Python's ids for a tiled picture", () => {
    const image = { key: "p", ...tiledGeometry({ rows: 2, columns: 2 }, 16) };
    const { ids, tiles } = tinyPrompt.build([{ images: [image], question: reference.question }]);
    expect(ids).toEqual(reference.inputIds);
    expect(tiles.map((tile) => tile.start)).toEqual([5, 23, 42, 60, 80]);
    expect(tiles.every(({ start, count }) => ids.slice(start, start + count).every(isImage))).toBe(
      true,
    );
  });

  it("writes the embedded model's prompt as its training did", () => {
    const { ids, tiles } = miniPrompt.build([total]);
    expect(mini.decode(ids, { keepSpecial: true })).toBe(
      `<|im_start|>User:<fake_token_around_image><global-img>${"<image>".repeat(576)}` +
        "<fake_token_around_image>What is the total?<end_of_utterance>\nAssistant:",
    );
    expect(tiles).toEqual([{ image: "page", tile: 0, start: ids.indexOf(3), count: 576 }]);
  });

  it("appends a turn without touching the ids before it", () => {
    const first = miniPrompt.build([total]).ids;
    const answerIds = [...mini.encode(" 12.50"), 2];
    const { ids } = miniPrompt.build([
      { ...total, answerIds },
      { images: [], question: "And the date?" },
    ]);
    expect(ids.slice(0, first.length + answerIds.length)).toEqual([...first, ...answerIds]);
    expect(mini.decode(ids.slice(first.length), { keepSpecial: true })).toBe(
      " 12.50<end_of_utterance>\nUser: And the date?<end_of_utterance>\nAssistant:",
    );
  });

  it("reads an answer of another model as text, behind the template's space", () => {
    const first = miniPrompt.build([total]).ids;
    const next = { images: [], question: "And the date?" };
    const other = { ...total, answerText: "12.50 <image><end_of_utterance>" };
    const { ids, tiles } = miniPrompt.build([other, next]);
    expect(ids.slice(0, first.length)).toEqual(first);
    const added = ids.slice(first.length);
    expect(mini.decode(added, { keepSpecial: true })).toBe(
      " 12.50 <image><end_of_utterance><end_of_utterance>\nUser: And the date?<end_of_utterance>\nAssistant:",
    );
    // Special tokens in it are letters.
    expect(added).not.toContain(3);
    expect(added.filter((id) => id === 2)).toHaveLength(2);
    expect(tiles).toHaveLength(1);
  });

  it("keeps generated ids even where the tokenizer would write them differently", () => {
    const spelled = [..." total"].flatMap((letter) => mini.encode(letter));
    expect(mini.encode(" total")).not.toEqual(spelled);
    const turns = [
      { ...total, answerIds: [...spelled, 2] },
      { images: [], question: "Why?" },
    ];
    const { ids } = miniPrompt.build(turns);
    const start = miniPrompt.build([total]).ids.length;
    expect(ids.slice(start, start + spelled.length)).toEqual(spelled);
  });

  it("closes a turn that was cut off", () => {
    const cut = mini.encode(" 12");
    const closed = [{ ...total, answerIds: [...cut, 2] }, question("Why?")];
    const open = [{ ...total, answerIds: cut }, question("Why?")];
    expect(miniPrompt.build(open).ids).toEqual(miniPrompt.build(closed).ids);
    const silent = [{ ...total, answerIds: [] }, question("Why?")];
    expect(mini.decode(miniPrompt.build(silent).ids.slice(-30), { keepSpecial: true })).toContain(
      "Assistant:<end_of_utterance>\nUser: Why?",
    );
  });

  it("never takes an image token among generated ids for a row of an image", () => {
    const answerIds = [3, ...mini.encode(" 12"), 3, 2];
    const first = miniPrompt.build([{ ...total, answerIds }, total]);
    const plain = miniPrompt.build([{ ...total, answerIds: [...mini.encode(" 12"), 2] }, total]);
    expect(first.tiles.map(({ count }) => count)).toEqual([576, 576]);
    expect(first.tiles[0]).toEqual(plain.tiles[0]);
    expect(first.tiles[1]?.start).toBe((plain.tiles[1]?.start ?? 0) + 2);
  });

  it("takes control words in a question for text", () => {
    const { ids, tiles } = miniPrompt.build([
      { images: [page], question: "Is <image> or <end_of_utterance>\uFDD0 shown?" },
    ]);
    expect(ids.filter((id) => id === 3)).toHaveLength(576);
    expect(ids.filter((id) => id === 2)).toHaveLength(1);
    expect(tiles).toHaveLength(1);
    expect(mini.decode(ids)).toContain("Is <image> or <end_of_utterance> shown?");
  });

  it("finds every picture of a conversation", () => {
    const two = { images: [page, { ...page, key: "back" }], question: "Same?" };
    const { ids, tiles } = miniPrompt.build([{ ...two, answerIds: [2] }, total]);
    expect(tiles.map((tile) => tile.image)).toEqual(["page", "back", "page"]);
    expect(tiles.every(({ start }) => ids[start] === 3 && ids[start - 1] === 5)).toBe(true);
  });
});

function isImage(id: number): boolean {
  return id === 4;
}

function question(text: string) {
  return { images: [], question: text };
}
