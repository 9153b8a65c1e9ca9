import { expect, it } from "vitest";
import { rowBytes, runColumns } from "../common/dtype";
import { weightCode } from "./weightCode";

it.each(["f32", "f16", "bf16", "q8g64", "q4g32", "q4g128bf16"] as const)(
  "%s: runs have as many columns here as in WGSL",
  (dtype) => {
    const [, run] =
      weightCode(dtype)
        .join("\n")
        .match(/const RUN4 = (\d+)u;/) ?? [];
    expect(runColumns(dtype)).toBe(4 * Number(run));
  },
);

it("counts bytes of codes and scales, each in whole elements", () => {
  expect(rowBytes("bf16", 76)).toBe(152);
  expect(rowBytes("q8g64", 2048)).toBe(2048 + 32 * 4);
  expect(rowBytes("q4g32", 2048)).toBe(1024 + 64 * 4);
  expect(rowBytes("q4g32", 76)).toBe(48 + 16);
});
