import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { Report } from "./report";

const written = vi.spyOn(fs, "writeSync").mockReturnValue(0);

test("every figure is in the file at once, and a failure does not stop the others", async () => {
  const file = path.join(fs.mkdtempSync(path.join(tmpdir(), "report-")), "bench.json");
  const read = () => JSON.parse(fs.readFileSync(file, "utf8"));
  const report = new Report(file, 60);
  report.add(["models", "a", "steps"], { rows: 1 });
  expect(read().models.a.steps).toEqual([{ rows: 1 }]);
  report.add(["models", "a", "steps"], { rows: 2 });
  report.set(["ratios", "x"], 3);
  await report.attempt("b", async () => {
    throw new Error("no adapter");
  });
  expect(report.hasTime("c", 30)).toBe(true);
  expect(report.hasTime("d", 90)).toBe(false);
  expect(read()).toMatchObject({
    models: { a: { steps: [{ rows: 1 }, { rows: 2 }] } },
    ratios: { x: 3 },
    problems: ["b: no adapter", expect.stringMatching(/^d: left out, (60|59)\.\d s are left$/)],
  });
  expect(written.mock.calls.map(([, text]) => text)).toContain("! b: no adapter\n");
});
