import { expect, it } from "vitest";
import { foldGroups, reductionCode, unitGroups } from "./reduction";

it("folds counts beyond one dimension so that no workgroup is missing", () => {
  expect(foldGroups(65_535)).toEqual([65_535]);
  expect(foldGroups(65_536)).toEqual([65_535, 2]);
  expect(foldGroups(3 * 65_535)).toEqual([65_535, 3]);
});

it("gives a unit an invocation or a workgroup", () => {
  const { WORKGROUP = 0 } = reductionCode("one").constants;
  expect(unitGroups("one", WORKGROUP + 1)).toEqual([2]);
  expect(unitGroups("workgroup", WORKGROUP + 1)).toEqual([WORKGROUP + 1]);
  expect(reductionCode("subgroup").enable).toEqual(["subgroups"]);
});

/** Attention reads from shared memory behind a reduction what other invocations wrote before it. */
it.each(["workgroup", "subgroup"] as const)("passes a barrier before %s returns", (reduction) => {
  const functions = reductionCode(reduction).code.split(/^fn /m);
  const reduces = functions.filter((code) => code.startsWith("reduce_"));
  expect(reduces.length).toBe(3);
  for (const code of reduces) {
    for (const { 0: value, index } of code.matchAll(/return [^;]+;/g)) {
      expect(value.includes("reduce_") || code.slice(0, index).includes("Barrier()"), code).toBe(
        true,
      );
    }
  }
});
