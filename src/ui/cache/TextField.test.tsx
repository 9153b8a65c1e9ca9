import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { freeText } from "@/compression/options";
import { TextField } from "./TextField";

const option = freeText("Shares", "One per layer.", { pattern: "|[0-9.]+", example: "0.5" });
const shown = (value: string) =>
  renderToStaticMarkup(<TextField option={option} value={value} onCommit={() => undefined} />);

test("a text that does not match is marked, with what is expected instead", () => {
  const wrong = shown("half");
  expect(wrong).toContain('aria-invalid="true"');
  expect(wrong).toContain("Not used: enter text like 0.5, or nothing.");
  expect(wrong).toMatch(/data-off="true"[^>]*>One per layer\./);
  for (const right of ["", "0.25"]) {
    expect(shown(right)).toContain('aria-invalid="false"');
    expect(shown(right)).toMatch(/data-off="false"[^>]*>One per layer\./);
  }
});
