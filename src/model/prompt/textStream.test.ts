import { expect, it } from "vitest";
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import { TextStream } from "./textStream";
import { Tokenizer } from "./tokenizer";

const directory = diskUrl("public/models/keepsight-mini");
const tokenizer = await Tokenizer.load(new ModelFiles(directory, { fetch: diskFetch }));

it("gives whole characters only", () => {
  const text = "Preis: 12,50 € für 3 Äpfel 🍎, naïve 漢字";
  const ids = tokenizer.encode(` ${text}`);
  const stream = new TextStream(tokenizer);
  const deltas = ids.map((id) => stream.push(id));
  expect(deltas.filter((delta) => delta.includes("\uFFFD"))).toEqual([]);
  expect(deltas.filter((delta) => delta === "").length).toBeGreaterThan(3);
  expect(deltas.join("")).toBe(text);
  expect(stream.text).toBe(text);
});

it("says nothing for special tokens and for a sequence that never ends", () => {
  const stream = new TextStream(tokenizer);
  const [first] = tokenizer.encode("🍎");
  expect([stream.push(first as number), stream.push(2)]).toEqual(["", ""]);
  expect(stream.text).toBe("");
});
