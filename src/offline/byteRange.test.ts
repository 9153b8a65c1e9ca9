import { expect, test } from "vitest";
import { parseRange, partialResponse } from "./byteRange";

test("ranges count their last byte, and end where the file ends", () => {
  expect(parseRange("bytes=0-0", 10)).toEqual({ start: 0, end: 1 });
  expect(parseRange("bytes=2-5", 10)).toEqual({ start: 2, end: 6 });
  expect(parseRange("bytes=2-99", 10)).toEqual({ start: 2, end: 10 });
  expect(parseRange("bytes=7-", 10)).toEqual({ start: 7, end: 10 });
  expect(parseRange("bytes=-3", 10)).toEqual({ start: 7, end: 10 });
  expect(parseRange("bytes=-30", 10)).toEqual({ start: 0, end: 10 });
});

test("what cannot be answered with one range is none", () => {
  for (const header of ["bytes=10-", "bytes=5-4", "bytes=-", "bytes=0-1,4-5", "rows=0-1", ""]) {
    expect(parseRange(header, 10), header).toBeUndefined();
  }
});

test("a partial answer says where its bytes lie", async () => {
  const response = partialResponse("cde", { start: 2, end: 5 }, 10, "text/plain");
  expect(response.status).toBe(206);
  expect(response.headers.get("content-range")).toBe("bytes 2-4/10");
  expect(response.headers.get("content-length")).toBe("3");
  expect(await response.text()).toBe("cde");
});
