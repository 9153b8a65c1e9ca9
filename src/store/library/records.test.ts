import { expect, test } from "vitest";
import { result } from "../app/testing";
import {
  type ConversationImage,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { STARTED } from "../conversation/run";
import { exportJson } from "./exportJson";
import { entryOf, revive, toRecord } from "./records";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;
const image: ConversationImage = {
  id: "p",
  title: "A page",
  alt: "A page",
  blob: new Blob([new Uint8Array([1, 2, 255])], { type: "image/png" }),
  url: "blob:gone",
  width: 3,
  height: 4,
};
const answered = withExchange(emptyConversation("c", 1000, image), {
  id: "e",
  images: ["p"],
  question: "What?",
  attempts: [{ id: "a", settings, run: { phase: "done", result: result({ answer: "This." }) } }],
});

test("a conversation comes back as it was, its images without addresses", () => {
  const revived = revive(toRecord(answered, 2000));
  expect(revived).toEqual({ ...answered, images: [{ ...image, url: "" }] });
});

test("an answer that was still being given comes back as interrupted, to be tried again", () => {
  const running = withExchange(answered, {
    id: "f",
    images: [],
    question: "And?",
    attempts: [
      { id: "b", settings, run: { ...STARTED, phase: "running", text: "Half" } },
      { id: "d", settings, run: { phase: "queued" } },
    ],
  } as never);
  const { exchanges } = revive(toRecord(running, 2000));
  expect(exchanges[1]!.attempts.map(({ run }) => run)).toEqual([
    expect.objectContaining({ phase: "failed", text: "Half" }),
    expect.objectContaining({ phase: "failed", text: "" }),
  ]);
});

test("an entry is named by the person, or by the first question, or by the image", () => {
  const title = (conversation: typeof answered) => entryOf(toRecord(conversation, 0)).title;
  expect(title({ ...answered, name: "Mine" })).toBe("Mine");
  expect(title(answered)).toBe("What?");
  expect(title(emptyConversation("c", 0, image))).toBe("A page");
});

test("the export carries the images' bytes and the engine's own results", async () => {
  const document = JSON.parse(await exportJson(toRecord(answered, 2000)));
  expect(document).toMatchObject({
    format: "keepsight-conversation",
    version: 1,
    createdAt: "1970-01-01T00:00:01.000Z",
    pictures: [{ id: "p", title: "A page", width: 3, data: "data:image/png;base64,AQL/" }],
    exchanges: [{ question: "What?", pictures: ["p"], attempts: [{ settings }] }],
  });
  expect(document.exchanges[0].attempts[0].result).toEqual(result({ answer: "This." }));
});

test("an image that was declared as a document comes back without that type", () => {
  const html = { ...image, blob: new Blob(["<script>"], { type: "text/html" }) };
  const record = toRecord({ ...answered, images: [html, image] }, 2000);
  const types = revive(record).images.map(({ blob }) => blob.type);
  expect(types).toEqual(["application/octet-stream", "image/png"]);
});
