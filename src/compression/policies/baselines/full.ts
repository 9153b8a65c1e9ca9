import { definePolicy } from "../../definePolicy";
import { keepAll } from "../../sharedOptions";

/** Keeps every row. All other policies are compared with it. */
export const full = definePolicy({
  id: "full",
  label: "Full cache",
  summary: "Keeps every row; the reference for memory, speed and answers.",
  options: {},
  ranks: false,
  shared: "none",
  deviation: () => "Keeps every row at any retention.",
  deviantRows: ({ layers, candidates }) => new Array<number>(layers).fill(candidates.length),
  taps: () => ({}),
  plan: keepAll,
});
