import { expect, it } from "vitest";
import { chooseVariants, PLAIN } from "./variants";

it("spares software adapters barriers and shared memory", () => {
  expect(chooseVariants({ isFallback: true, hasSubgroups: false })).toEqual(PLAIN);
  expect(chooseVariants({ isFallback: true, hasSubgroups: true })).toEqual({
    reduction: "one",
    matmul: "subgroup",
    flash: "subgroup",
    attend: "wide",
  });
});

it("takes the tiled kernels on GPUs, and reduces in subgroups where there are any", () => {
  const tiled = { matmul: "tiled", flash: "tiled", attend: "wide" };
  const choice = (hasSubgroups: boolean) => chooseVariants({ isFallback: false, hasSubgroups });
  expect(choice(true)).toEqual({ ...tiled, reduction: "subgroup" });
  expect(choice(false)).toEqual({ ...tiled, reduction: "workgroup" });
});
