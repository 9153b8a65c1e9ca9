import { expect, test, vi } from "vitest";
import type { ImageSource } from "../images/readImage";
import { exportJson } from "./exportJson";
import { readExport } from "./readExport";

vi.mock("../images/readImage", () => ({
  readImage: async (blob: Blob, { id, title, alt = title }: ImageSource) => {
    return { ok: true, image: { id, title, alt, blob, url: "blob:read", width: 9, height: 9 } };
  },
}));

test("frames of a video are still frames after an import", async () => {
  const frame = { video: "v", seconds: 1.5, duration: 4 };
  const image = { id: "p", title: "Clip, 0:01", alt: "Clip", width: 3, height: 4 };
  const pictures = [true, false].map((isFrame) => {
    return { ...image, blob: new Blob(["p"], { type: "image/png" }), ...(isFrame && { frame }) };
  });
  const record = { id: "c", createdAt: 1, updatedAt: 2, name: "", exchanges: [], pictures };
  const file = new File([await exportJson(record)], "c.json");
  const read = await readExport(file, () => "new", 3);
  expect(read.pictures.map((each) => each.frame)).toEqual([frame, undefined]);
  expect(read.pictures[0]).not.toHaveProperty("url");
});
