import { describe, expect, test } from "vitest";
import { speak } from "@/language/language";
import { greedy } from "@/protocol/defaults";
import { result } from "../app/testing";
import {
  type ConversationImage,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { exportJson } from "./exportJson";
import { blobOf, readDocument, recordOf } from "./importJson";
import { toRecord } from "./records";

const settings = {
  policy: "aircache",
  retention: 0.1,
  scope: "visual",
  options: { alpha: 0.9, window: "last16" },
} as const;
const image: ConversationImage = {
  id: "p",
  title: "A page",
  alt: "A page with words",
  blob: new Blob([new Uint8Array([1, 2, 255])], { type: "image/png" }),
  url: "blob:gone",
  width: 3,
  height: 4,
  frame: { video: "v", seconds: 1.5, duration: 4 },
};
const origin = {
  model: "keepsight-mini",
  elementType: "f16",
  kvType: "f16",
  versions: { keepsight: "0.1.0" },
  vendor: "google",
  architecture: "swiftshader",
  description: "",
  isFallback: true,
  sampling: greedy(8),
  startedAt: 5,
} as const;
const timings = { tokenMs: [30, 10.5], kv: [{ at: 0, bytes: 2, fullBytes: 4, mark: "prefill" }] };
const explanation = {
  attention: { positions: [1], layers: 1, steps: 1, ends: [1], cells: new Uint8Array([7]) },
};
const layers = [{ rowsBefore: 3, rowsAfter: 2, kept: [0, 2], keptPerHead: [[0], [2]] }];
const compared = { source: "fork", peakBytes: 9 } as const;
const conversation = withExchange(emptyConversation("c", 1000, image), {
  id: "e",
  images: ["p"],
  question: "What?",
  attempts: [
    {
      id: "a",
      settings,
      run: {
        phase: "done",
        result: result({
          layers,
          explanation,
          reference: { ...compared, result: result({ answer: "Whole.", explanation }) },
        }),
        origin,
        timings,
      } as never,
    },
    {
      id: "b",
      settings: { ...settings, capMb: 3 },
      comparison: "x",
      run: {
        phase: "failed",
        text: "Half",
        failure: { code: "outOfMemory", message: "Full.", action: "keepLess" },
      },
    },
  ],
});

const exported = () => exportJson(toRecord(conversation, 2000));

describe("a conversation that was exported", () => {
  test("comes back whole, but for what its answers looked at", async () => {
    let ids = 0;
    const read = readDocument(await exported(), "c.json");
    const record = recordOf(read, () => `new${ids++}`, 3000);
    const [exchange] = record.exchanges;
    expect(record).toMatchObject({ id: "new0", name: "", createdAt: 1000, updatedAt: 3000 });
    const { blob, ...rest } = record.pictures[0]!;
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(new Uint8Array([1, 2, 255]));
    expect(blob.type).toBe("image/png");
    const { blob: _, url: __, ...kept } = image;
    expect(rest).toEqual(kept);
    expect(exchange).toMatchObject({ question: "What?", pictures: ["p"] });
    expect(exchange!.attempts[0]!.run).toEqual({
      phase: "done",
      result: result({
        layers,
        reference: { ...compared, result: result({ answer: "Whole." }) },
      }),
      origin,
      trace: timings,
    });
    const { id: _id, ...failed } = conversation.exchanges[0]!.attempts[1]!;
    expect(exchange!.attempts[1]).toMatchObject(failed);
  });

  test("exported again is the same document", async () => {
    const json = await exported();
    const again = await exportJson(recordOf(readDocument(json, ""), () => "n", 2000));
    expect(JSON.parse(again)).toEqual(JSON.parse(json));
  });

  type Change = (document: {
    version: number;
    format: string;
    pictures: Record<string, unknown>[];
    exchanges: {
      question: unknown;
      pictures: unknown;
      attempts: { result?: Record<string, unknown>; failure?: unknown; settings: unknown }[];
    }[];
  }) => unknown;
  const changes: [string, Change, RegExp][] = [
    ["another format", (d) => Object.assign(d, { format: "x" }), /format is not keepsight-conv/],
    ["a later version", (d) => Object.assign(d, { version: 2 }), /version is not 1/],
    [
      "no question",
      (d) => delete d.exchanges[0]!.question,
      /exchanges\[0\]\.question is not a text/,
    ],
    ["unknown image", (d) => Object.assign(d.exchanges[0]!, { pictures: ["q"] }), /not in it/],
    ["no answers", (d) => Object.assign(d.exchanges[0]!, { attempts: [] }), /no attempts/],
    ["no outcome", (d) => delete d.exchanges[0]!.attempts[0]!.result, /neither a result nor/],
    [
      "rows below zero",
      (d) =>
        Object.assign(d.exchanges[0]!.attempts[0]!.result!, {
          layers: [{ rowsBefore: 1, rowsAfter: 1, kept: [-1] }],
        }),
      /layers\[0\]\.kept\[0\] is not a whole/,
    ],
    [
      "text for a number",
      (d) => Object.assign(d.exchanges[0]!.attempts[0]!.result!, { retention: "1" }),
      /retention is not a number/,
    ],
    [
      "a list for an object",
      (d) => Object.assign(d.exchanges[0]!.attempts[0]!, { settings: [] }),
      /settings is not an object/,
    ],
  ];
  type Result = { images: unknown[]; layers: unknown[]; answer: string; visualTokens: number };
  const resultOf = (d: Parameters<Change>[0]) =>
    d.exchanges[0]!.attempts[0]!.result as unknown as Result;
  const tile = (gridRows: number, gridColumns: number) => ({
    image: "p",
    width: 1,
    height: 1,
    tiles: [{ firstPosition: 0, gridRows, gridColumns, box: { x: 0, y: 0, width: 1, height: 1 } }],
  });
  changes.push(
    [
      "more patches than visual tokens",
      (d) => Object.assign(resultOf(d), { images: [tile(4096, 4096)] }),
      /the patches of exchanges\[0\]\.attempts\[0\]\.result\.images are 16777216, and its visualTokens 0/,
    ],
    [
      "fewer patches than visual tokens",
      (d) => Object.assign(resultOf(d), { visualTokens: 9, images: [tile(2, 4)] }),
      /images are 8, and its visualTokens 9/,
    ],
    [
      "more visual tokens than the prompt has",
      (d) => Object.assign(resultOf(d), { visualTokens: 400, images: [tile(20, 20)] }),
      /has 400 visual tokens in a prompt of 100/,
    ],
    [
      "more patches in a stopped answer than can be drawn",
      (d) => Object.assign(resultOf(d), { finish: "cancelled", images: [tile(4096, 4096)] }),
      /images are 16777216/,
    ],
    [
      "rows kept twice",
      (d) =>
        Object.assign(resultOf(d), { layers: [{ rowsBefore: 9, rowsAfter: 2, kept: [4, 4] }] }),
      /layers\[0\] keeps rows that are not ascending positions/,
    ],
    [
      "a long answer in few tokens",
      (d) => Object.assign(resultOf(d), { answer: "word ".repeat(1000) }),
      /answer has 5000 characters in 2 tokens/,
    ],
    [
      "an endless question",
      (d) => Object.assign(d.exchanges[0]!, { question: "why ".repeat(20_000) }),
      /question is not a text of at most 65536 characters/,
    ],
    [
      "thousands of questions",
      (d) => Object.assign(d, { exchanges: Array(3000).fill(d.exchanges[0]) }),
      /exchanges is not a list of at most 512: it has 3000/,
    ],
    [
      "a comparison of many lanes",
      (d) => {
        const lane = { ...d.exchanges[0]!.attempts[0]!, comparison: "x" };
        return Object.assign(d.exchanges[0]!, { attempts: Array(5).fill(lane) });
      },
      /exchanges\[0\] compares 5 lanes/,
    ],
    [
      "something hidden in another image",
      (d) => Object.assign(d.exchanges[0]!.attempts[0]!, { hidden: { picture: "q", patches: [] } }),
      /attempts\[0\]\.hidden names an image that is not in it/,
    ],
  );
  test.each(changes)("is refused with its place: %s", async (_, change, sentence) => {
    const document = JSON.parse(await exported());
    change(document);
    expect(() => readDocument(JSON.stringify(document), "c.json")).toThrow(sentence);
  });

  test.each(["", "{", "null", "[]", '"x"', "{}"])("is refused: %j", (json) => {
    expect(() => readDocument(json, "c.json")).toThrow(
      /^“c\.json” is not a conversation of Keepsi/,
    );
  });

  test("is refused in the language of the page", async () => {
    await speak("zh");
    expect(() => readDocument('{"format": 1}', "c.json")).toThrow(
      "“c.json”不是 Keepsight 的对话：format 不是 keepsight-conversation。",
    );
    await speak("en");
  });

  test.each(["", "data:,", "https://x.org/y.png", "data:image/png;base64,!", "javascript:1,AA"])(
    "has no image in %j",
    (data) => expect(() => blobOf(data)).toThrow(/image/),
  );
});
