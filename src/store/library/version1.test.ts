import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { POLICIES } from "@/compression/registry";
import type { ChatConversation } from "../conversation/conversation";
import { checkRecord } from "./consistency";
import { withCurrentOptions } from "./currentOptions";
import { exportJson } from "./exportJson";
import { readDocument, recordOf } from "./importJson";
import { type ConversationRecord, revive, toRecord } from "./records";

const read = (name: string) =>
  fs.readFileSync(new URL(`../../../fixtures/conversations/${name}`, import.meta.url), "utf8");

/** What the page shows of either file. */
function expectShown(conversation: ChatConversation): void {
  const { images, exchanges } = withCurrentOptions(conversation, POLICIES);
  expect(images).toMatchObject([{ id: "p1", title: "Receipt", sampleId: "receipt" }]);
  expect(exchanges.map(({ question, images }) => [question, images])).toEqual([
    ["What is the total?", ["p1"]],
    ["And the date?", []],
  ]);
  const [full, failed, hidden, ...lanes] = exchanges.flatMap(({ attempts }) => attempts);
  expect(full!.run).toMatchObject({
    phase: "done",
    result: { answer: "$75.00", images: [{ image: "p1" }] },
    origin: { model: "keepsight-mini" },
    timings: { tokenMs: [812.5, 31, 30.5], kv: [{ mark: "prefill" }, { mark: "compact" }] },
  });
  // The option had another name then.
  expect(failed!.settings.options).toMatchObject({ variant: "local" });
  expect(failed!.run).toMatchObject({ phase: "failed", text: "The to" });
  expect(hidden!.hidden).toMatchObject({ image: "p1", patches: [{ position: 150 }] });
  expect(lanes.map(({ comparison, settings }) => [comparison, settings.policy])).toEqual([
    ["k", "aircache"],
    ["k", "prefixkv"],
  ]);
}

describe("a conversation of version 1", () => {
  test("is imported, shown, and exported again as it was", async () => {
    const json = read("exported.json");
    const document = readDocument(json, "exported.json");
    const record = recordOf(document, () => "id", Date.parse(document.updatedAt));
    expectShown(revive(checkRecord(record)));
    expect(JSON.parse(await exportJson(record))).toEqual(JSON.parse(json));
  });

  test("is read from the browser's storage, shown, and stored again as it was", () => {
    const { pictures, ...rest }: ConversationRecord = JSON.parse(read("stored.json"));
    const blob = new Blob(["bytes"], { type: "image/png" });
    const stored = { ...rest, pictures: pictures.map((image) => ({ ...image, blob })) };
    const conversation = revive(checkRecord(stored));
    expectShown(conversation);
    expect(toRecord(conversation, stored.updatedAt)).toEqual(stored);
  });
});
