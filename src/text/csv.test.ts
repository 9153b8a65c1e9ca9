import { expect, test } from "vitest";
import { toCsv } from "./csv";

test("quotes what needs quotes and leaves a missing number empty", () => {
  const table = {
    columns: ["token", "text, raw", "ms"],
    rows: [
      [1, 'a "b"', 30.25],
      [2, "line\nbreak", Number.NaN],
    ],
  };
  expect(toCsv(table)).toBe('token,"text, raw",ms\r\n1,"a ""b""",30.25\r\n2,"line\nbreak",');
});
