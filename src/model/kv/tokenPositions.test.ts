import { expect, it } from "vitest";
import { positionCount, TokenPositions } from "./tokenPositions";

const GRIDS = [
  { start: 3, gridRows: 2, gridColumns: 3 },
  { start: 11, gridRows: 4, gridColumns: 1 },
];

function placed(): TokenPositions {
  const positions = new TokenPositions();
  for (const grid of GRIDS) positions.announce(grid);
  return positions;
}

it("counts text in all axes, and images by row and column", () => {
  const positions = placed();
  const all = Array.from({ length: 17 }, (_, token) => positions.of(token));
  expect(all).toEqual([
    ...[0, 1, 2].map((p) => [p, p, p]),
    ...[0, 1].flatMap((row) => [0, 1, 2].map((column) => [3, 3 + row, 3 + column])),
    ...[6, 7].map((p) => [p, p, p]),
    ...[0, 1, 2, 3].map((row) => [8, 8 + row, 8]),
    ...[12, 13].map((p) => [p, p, p]),
  ]);
  expect(positions.next(17)).toBe(14);
  expect(positionCount(17, GRIDS)).toBe(14);
});

it("is the token's index without images", () => {
  const positions = new TokenPositions();
  expect([positions.next(7), positions.of(7)]).toEqual([7, [7, 7, 7]]);
  expect(positions.isText(100)).toBe(true);
  positions.advance(7);
  expect([positions.seen, positions.position, positions.place]).toEqual([7, 7, 7]);
});

it("finds the images among the next tokens", () => {
  const positions = placed();
  expect([positions.isText(3), positions.isText(4)]).toEqual([true, false]);
  positions.advance(8);
  expect(positions.isText(1)).toBe(false);
  positions.advance(1);
  expect([positions.isText(2), positions.isText(3)]).toEqual([true, false]);
});

it("forgets the newest tokens with their images, which its copy keeps", () => {
  const positions = placed();
  positions.advance(15);
  const copy = positions.copy();
  positions.truncate(4);
  expect([positions.seen, positions.position, positions.next(13)]).toEqual([11, 8, 10]);
  expect([copy.seen, copy.position]).toEqual([15, 12]);
});

it("counts places anew, and knows the tokens that have none", () => {
  const positions = placed();
  positions.advance(10);
  expect([positions.place, positions.unplaced]).toEqual([7, 3]);
  positions.rebase(4);
  expect([positions.place, positions.unplaced]).toEqual([4, 10]);
  positions.advance(6);
  expect([positions.place, positions.unplaced]).toEqual([4 + 6, 11]);
});

it("places the temporal patches of a video at one position, later ones later in time", () => {
  const patch = { gridRows: 2, gridColumns: 2 };
  const patches = [0, 1, 5].map((time, i) => ({ ...patch, start: 3 + 4 * i, time }));
  const positions = new TokenPositions();
  for (const grid of [...patches, { ...patch, start: 16 }]) positions.announce(grid);
  const at = (token: number) => positions.of(token);
  expect([at(3), at(7), at(8), at(14)]).toEqual([
    ...[[3, 3, 3]],
    ...[
      [4, 3, 3],
      [4, 3, 4],
    ],
    ...[[8, 4, 4]],
  ]);
  // Behind the latest time, which is beyond the grid; an image behind the video stands by itself.
  expect([at(15), at(16)]).toEqual([
    [9, 9, 9],
    [10, 10, 10],
  ]);
  expect(positionCount(15, patches)).toBe(9);
  expect(TokenPositions.from(positions.state).next(20)).toBe(12);
});
