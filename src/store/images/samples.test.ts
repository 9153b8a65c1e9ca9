import { expect, it } from "vitest";
import { parseSamples } from "./samples";

const LIST = "https://page.example/samples/samples.json";

it("reads pages and documents, and leaves out what is neither", () => {
  const [page, document, ...rest] = parseSamples(
    [
      {
        id: "receipt",
        file: "receipt.png",
        title: "Receipt",
        alt: "A receipt",
        questions: ["?", 1],
      },
      { id: "document", files: ["1.png", "2.png"], alt: "Two pages", alts: ["One"], note: "Long." },
      { id: "nothing", files: [] },
      { file: "nameless.png" },
      "text",
    ],
    LIST,
  );
  expect(rest).toEqual([]);
  expect(page).toEqual({
    id: "receipt",
    url: "https://page.example/samples/receipt.png",
    title: "Receipt",
    alt: "A receipt",
    questions: ["?"],
  });
  expect(document).toMatchObject({ id: "document", title: "document", note: "Long." });
  expect(document?.url).toBe("https://page.example/samples/1.png");
  expect(document?.pages).toEqual([
    { url: "https://page.example/samples/1.png", alt: "One" },
    { url: "https://page.example/samples/2.png", alt: "Two pages" },
  ]);
});

it("takes no list that is none", () => {
  expect(parseSamples({ id: "receipt" }, LIST)).toEqual([]);
});
