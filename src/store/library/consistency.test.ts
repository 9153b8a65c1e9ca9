import { expect, test } from "vitest";
import { result } from "../app/testing";
import { checkRecord } from "./consistency";
import type { ConversationRecord } from "./records";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;

function record(given: Parameters<typeof result>[0]): ConversationRecord {
  const run = { phase: "done", result: result(given) } as const;
  const attempts = [{ id: "a", settings, run }];
  const exchanges = [{ id: "e", pictures: [], question: "?", attempts }];
  return { id: "c", createdAt: 0, updatedAt: 0, name: "", pictures: [], exchanges };
}

const attention = { positions: [3, 4], layers: 2, steps: 1, ends: [2], cells: new Uint8Array(4) };
const importance = { positions: [3, 4], scores: new Float32Array(4) };

test("a stored explanation that fits its answer stays", () => {
  const kept = record({ explanation: { attention, importance } });
  expect(checkRecord(kept)).toEqual(kept);
});

test.each([
  ["cells for other rows", { attention: { ...attention, cells: new Uint8Array(3) } }],
  ["steps without an end", { attention: { ...attention, steps: 2, cells: new Uint8Array(8) } }],
  ["an end beyond the answer", { attention: { ...attention, ends: [99] } }],
  ["scores for other rows", { importance: { ...importance, scores: new Float32Array(3) } }],
])("an explanation with %s is left out, and the answer is shown", (_, explanation) => {
  expect(checkRecord(record({ explanation }))).toEqual(record({}));
});

test("a reference is checked as the answer is", () => {
  const compared = { source: "fork", peakBytes: 1 } as const;
  const sound = { ...compared, result: result({ explanation: { attention } }) };
  expect(checkRecord(record({ reference: sound }))).toEqual(record({ reference: sound }));
  expect(checkRecord(record({ reference: { missing: "cap" } }))).toEqual(
    record({ reference: { missing: "cap" } }),
  );
  const cells = { attention: { ...attention, cells: new Uint8Array(3) } };
  const unsound = { ...compared, result: result({ explanation: cells }) };
  expect(checkRecord(record({ reference: unsound }))).toEqual(record({}));
  const wrong = { ...compared, result: result({ visualTokens: 9 }) };
  expect(() => checkRecord(record({ reference: wrong }))).toThrow(
    /result\.reference\.images are 0/,
  );
});

test("an answer whose numbers do not fit is refused with its place", () => {
  expect(() => checkRecord(record({ visualTokens: 9 }))).toThrow(
    /exchanges\[0\]\.attempts\[0\]\.result\.images are 0, and its visualTokens 9/,
  );
});

const layout = {
  image: "p",
  width: 1,
  height: 1,
  tiles: [
    { firstPosition: 3, gridRows: 3, gridColumns: 3, box: { x: 0, y: 0, width: 1, height: 1 } },
  ],
};

test("an appended turn names the images of turns before it, and counts its own rows", () => {
  const appended = record({ appended: true, promptTokens: 20, images: [layout] });
  expect(checkRecord(appended)).toEqual(appended);
  expect(() => checkRecord(record({ promptTokens: 20, images: [layout] }))).toThrow(/are 9/);
});

test("heads that hold different rows hold more together than their mean", () => {
  const layers = [{ rowsBefore: 2, rowsAfter: 2, kept: [1, 2, 3], keptPerHead: [[1], [1, 2, 3]] }];
  expect(checkRecord(record({ layers }))).toEqual(record({ layers }));
  const twice = [{ ...layers[0]!, keptPerHead: [[1], [2, 1]] }];
  expect(() => checkRecord(record({ layers: twice }))).toThrow(/not ascending/);
  const later = [{ ...layers[0]!, keptEnd: [[1], [2, 1]] }];
  expect(() => checkRecord(record({ layers: later }))).toThrow(/not ascending/);
});
