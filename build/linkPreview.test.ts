import { expect, test } from "vitest";
import { previewTags } from "./linkPreview";

const contentOf = (site: string, property: string) =>
  previewTags(site).find(({ attrs }) => attrs?.property === property)?.attrs?.content;

test.each([
  ["https://example.org/keepsight", "https://example.org/keepsight/preview.png"],
  ["https://example.org/keepsight/", "https://example.org/keepsight/preview.png"],
  ["", "./preview.png"],
])("of a site at %j the preview image is at %s", (site, image) => {
  expect(contentOf(site, "og:image")).toBe(image);
});

test("an address is named only if the build knows it", () => {
  expect(contentOf("", "og:url")).toBeUndefined();
  expect(contentOf("https://example.org/k", "og:url")).toBe("https://example.org/k/");
});
