import { expect, test } from "vitest";
import { cachedParts } from "./cachedParts";

const box = { x: 0, y: 0, width: 1, height: 1 };
const tile = { firstPosition: 3, gridRows: 2, gridColumns: 5, box };
const images = [{ image: "p", width: 1, height: 1, tiles: [tile] }];

test("counts the image's rows of every layer, and the others, as means over layers and heads", () => {
  const layers = [
    { rowsBefore: 15, rowsAfter: 7, kept: [0, 1, 2, 3, 12, 13, 14] },
    {
      rowsBefore: 15,
      rowsAfter: 6,
      kept: [0, 1, 2, 4, 5, 13, 14],
      keptPerHead: [
        [0, 1, 2, 4, 13, 14],
        [0, 1, 2, 5, 13, 14],
      ],
    },
  ];
  expect(cachedParts({ layers, images })).toEqual({ imageRows: 10, keptRows: 1.5, otherRows: 5 });
  const atEnd = [
    { ...layers[0]!, rowsEnd: 9, keptEnd: [[0, 1, 2, 12, 13, 14]] },
    {
      ...layers[1]!,
      rowsEnd: 8,
      keptEnd: [
        [0, 1, 2, 13, 14],
        [0, 1, 2, 5, 13, 14],
      ],
    },
  ];
  expect(cachedParts({ layers: atEnd, images })).toEqual({
    imageRows: 10,
    keptRows: 0.75,
    otherRows: 7.75,
  });
  expect(cachedParts({ layers: [], images: [] })).toEqual({
    imageRows: 0,
    keptRows: 0,
    otherRows: 0,
  });
});
