import { expect, it } from "vitest";
import { shapeConfig } from "@/bench/shapes";
import { chooseVariants } from "@/gpu/variants";
import { chunkRowsFor } from "./kernelSet";

it("prefills more rows at once on a GPU, fewer of a large model", () => {
  const gpu = chooseVariants({ isFallback: false, hasSubgroups: true });
  const software = chooseVariants({ isFallback: true, hasSubgroups: true });
  expect(chunkRowsFor(gpu, shapeConfig("Llama-1.1B"))).toBe(1024);
  expect(chunkRowsFor(gpu, shapeConfig("LLaVA-1.5-7B"))).toBe(256);
  expect(chunkRowsFor(software, shapeConfig("Llama-1.1B"))).toBe(256);
});
