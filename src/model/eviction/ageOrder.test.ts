import { describe, expect, it } from "vitest";
import { AgedRows } from "./ageOrder";

/** Slots 0 and 1 are not under the rule; slots 2 to 4 hold positions 5, 7, 8; the next row is 9. */
function rows(): AgedRows {
  return new AgedRows([0, 1, 5, 7, 8], 2, 9);
}

describe("AgedRows", () => {
  it("finds slots by age, those of new rows included", () => {
    const aged = rows();
    aged.append();
    expect(aged.governed).toBe(4);
    expect([0, 1, 2, 3].map((place) => aged.take(place))).toEqual([2, 3, 4, 5]);
    expect(() => aged.take(4)).toThrow(RangeError);
  });

  it("follows the last slot's row into the slot that was evicted", () => {
    const aged = rows();
    aged.append();
    aged.vacate(3); // the second oldest; the row of slot 5 moves there
    expect([0, 1, 2].map((place) => aged.take(place))).toEqual([2, 4, 3]);
    aged.append(); // takes slot 5 again
    aged.vacate(5); // the newest row, which is the last slot's
    expect([0, 1, 2].map((place) => aged.take(place))).toEqual([2, 4, 3]);
  });

  it("only counts where the slot is unknown", () => {
    const aged = rows();
    aged.vacate(0xffffffff);
    expect(aged.governed).toBe(2);
  });

  it("names the slots of older rows as they are after the eviction", () => {
    const aged = rows();
    aged.append();
    aged.vacate(2); // order of age: slots 3, 4, 2
    // The row of slot 4, the last one, moves into slot 2.
    expect(aged.olderThan(2)).toEqual([0, 1, 3, 2]);
    expect(aged.olderThan(0)).toEqual([0, 1]);
  });

  it("exempts the first and the newest rows by position", () => {
    const aged = rows();
    expect(aged.exempt(0, 0)).toEqual([5, 9]);
    expect(aged.exempt(1, 2)).toEqual([7, 7]);
    aged.append();
    expect(aged.exempt(1, 1)).toEqual([7, 9]);
    expect(aged.exempt(1, 2)).toEqual([7, 8]);
    expect(aged.exempt(4, 0)).toEqual([10, 10]);
    expect(aged.canGive(2, 1)).toBe(true);
    expect(aged.canGive(2, 2)).toBe(false);
  });
});
