import { expect, it } from "vitest";
import { readDrop } from "./given";

/** A drop of a piece of a page. */
function dropped(markup: string): readonly string[] {
  const data = { files: [], getData: (type: string) => (type === "text/html" ? markup : "") };
  return readDrop(data as unknown as DataTransfer).addresses;
}

it("finds the addresses of images in what browsers drop", () => {
  expect(
    dropped('<meta charset="utf-8"><img alt="a > b" src="https://a.example/b?c=1&amp;d=2">'),
  ).toEqual(["https://a.example/b?c=1&d=2"]);
  expect(
    dropped("<a href='/x'><IMG SRC='http://a.example/1' width=3></a><img src=data:image/png,x>"),
  ).toEqual(["http://a.example/1", "data:image/png,x"]);
  expect(dropped('<img src="javascript:alert(1)"><img data-src="https://a.example/1">')).toEqual(
    [],
  );
});
