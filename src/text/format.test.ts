import { expect, test } from "vitest";
import {
  formatBytes,
  formatChange,
  formatCount,
  formatEstimate,
  formatMs,
  formatMsNumber,
  formatParameters,
  formatPercent,
  formatRetention,
  formatShare,
} from "./format";

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

test.each([
  [0, "0 B"],
  [312, "312 B"],
  [999, "999 B"],
  [999.5, "1 kB"],
  [99_999, "100 kB"],
  [100_000, "0.10 MB"],
  [419_430, "0.42 MB"],
  [2_674_688, "2.67 MB"],
  [999_000_000, "999.00 MB"],
  [999_000_001, "1.00 GB"],
  [12_345_678_901, "12.35 GB"],
  [Number.NaN, "–"],
  [-1, "–"],
])("bytes %d", (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));

test.each([
  [0.44, "0.4 ms"],
  [9.94, "9.9 ms"],
  [9.96, "10 ms"],
  [31.4, "31 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [1234, "1.2 s"],
  [Number.NaN, "–"],
  [Number.POSITIVE_INFINITY, "–"],
])("milliseconds %d", (ms, text) => expect(plain(formatMs(ms))).toBe(text));

test("milliseconds of an axis never become seconds", () => {
  expect(formatMsNumber(1234)).toBe("1234");
  expect(formatMsNumber(3.14)).toBe("3.1");
});

test.each([
  [1, "100 %"],
  [0.1, "10 %"],
  [0.07, "7 %"],
  [0.025, "2.5 %"],
])("retention %d", (retention, text) => expect(plain(formatRetention(retention))).toBe(text));

test("a counted share has two digits", () => {
  const shares = [5.75 / 576, 0.1, 0.973, 1].map(formatShare).map(plain);
  expect(shares).toEqual(["1 %", "10 %", "97 %", "100 %"]);
});

test("a column of shares has one decimal", () => {
  expect([0.91, 281 / 300].map(formatPercent).map(plain)).toEqual(["91.0 %", "93.7 %"]);
});

test("changes carry a sign, and nothing is divided by zero", () => {
  expect(plain(formatChange(16, 100))).toBe("−84 %");
  expect(plain(formatChange(103, 100))).toBe("+3 %");
  expect(plain(formatChange(100, 100))).toBe("±0 %");
  expect(formatChange(5, 0)).toBe("–");
});

test("counts and parameters", () => {
  expect(formatCount(1064)).toBe("1064");
  expect(formatCount(1234567)).toBe("1,234,567");
  expect(plain(formatParameters(9_312_000))).toBe("9.3 M");
  expect(plain(formatParameters(256_000_000))).toBe("256 M");
  expect(plain(formatParameters(2_200_000_000))).toBe("2.2 B");
});

test.each([
  [0.11, "110 ms"],
  [1.2, "1.2 s"],
  [43.2, "43 s"],
  [428, "7.1 min"],
  [8200, "2.3 h"],
  [Number.POSITIVE_INFINITY, "–"],
])("about %f seconds", (seconds, text) => expect(plain(formatEstimate(seconds))).toBe(text));
