import { expect, it } from "vitest";
import type { Gpu } from "../gpu";
import type { KernelSpec } from "../kernel";
import { createAttend } from "./attention/attend";
import { createFlash } from "./attention/flash";
import { createRopeAppend } from "./attention/ropeAppend";
import { stepAttentionKernels } from "./attention/stepAttention";
import { createCompactKv } from "./cache/compactKv";
import { evictKernels } from "./cache/evict";
import { createMergeKv } from "./cache/mergeKv";
import { createNearestKey } from "./cache/nearestKey";
import { createReorderKv } from "./cache/reorderKv";
import { createRerotateKeys } from "./cache/rerotateKeys";
import { createEmbed } from "./common/embed";
import { createRmsNorm } from "./common/rmsNorm";
import { createDecodeKernels } from "./decode/decode";
import { createMatmul } from "./matmul/matmul";
import { createSampler } from "./sampling/sample";
import { tapAttentionKernels } from "./taps/tapAttention";
import { tapKeyKernels } from "./taps/tapKeys";
import { createGatherRows } from "./vision/gatherRows";
import { createImagePatches } from "./vision/imagePatches";
import { createLayerNorm } from "./vision/layerNorm";

const HEADS = { heads: 4, kvHeads: 2, headDim: 8 };

/** Specs of all kernels, in every reduction. */
async function allSpecs(): Promise<readonly KernelSpec[]> {
  const specs: KernelSpec[] = [];
  const compile = async (spec: KernelSpec) => {
    specs.push(spec);
    return {};
  };
  const gpu = { compile } as unknown as Gpu;
  for (const reduction of ["one", "workgroup", "subgroup"] as const) {
    const shape = { ...HEADS, kvType: "f16", reduction, keys: 10 } as const;
    await createAttend(gpu, { reduction, kvType: "f16", shape: HEADS });
    await createRmsNorm(gpu, reduction);
    await createLayerNorm(gpu, reduction);
    await createDecodeKernels(gpu, { reduction, dtype: "bf16", kvType: "f16" });
    await createSampler(gpu, reduction);
    const kernels = { ...tapAttentionKernels(gpu, shape), ...tapKeyKernels(gpu, shape) };
    for (const create of Object.values(kernels)) await create();
  }
  for (const variant of ["plain", "subgroup", "tiled"] as const) {
    await createFlash(gpu, { variant, kvType: "f16", shape: HEADS });
  }
  for (const variant of ["registers", "subgroup", "tiled"] as const) {
    await createMatmul(gpu, { variant, dtype: "f32", store: "bias" });
  }
  const evictShape = { ...HEADS, kvType: "f32" } as const;
  const kernels = { ...evictKernels(gpu, evictShape), ...stepAttentionKernels(gpu, evictShape) };
  for (const create of Object.values(kernels)) await create();
  for (const create of [createImagePatches, createGatherRows]) await create(gpu);
  await createRopeAppend(gpu, "f32");
  await createEmbed(gpu, "f16");
  for (const create of [createCompactKv, createMergeKv, createNearestKey, createReorderKv]) {
    await create(gpu, "f16", HEADS.headDim);
  }
  await createRerotateKeys(gpu, "f32", HEADS.headDim);
  return specs;
}

/** Fields of the one `struct Params` of a kernel, in order, with names in camelCase. */
function paramsOf({ label, code }: KernelSpec): readonly (readonly [string, string])[] {
  const structs = [...code.join("\n").matchAll(/struct Params \{([^}]*)\}/g)];
  expect(structs, label).toHaveLength(1);
  const lines = (structs[0]?.[1] ?? "").replace(/\/\/.*/g, "").split(",");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", type = ""] = line.split(/\s*:\s*/);
      return [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), type] as const;
    });
}

/** Access of a kernel's storage buffers by binding; the uniform block comes after the last of them. */
function accessOf({ label, code }: KernelSpec): readonly string[] {
  const bindings = code.join("\n").matchAll(/@binding\((\d+)\) var<(\w+)(?:, (\w+))?>/g);
  const sorted = [...bindings].toSorted((a, b) => Number(a[1]) - Number(b[1]));
  expect(
    sorted.map((binding) => Number(binding[1])),
    label,
  ).toEqual([...sorted.keys()]);
  expect(sorted.at(-1)?.[2], label).toBe("uniform");
  return sorted.slice(0, -1).map((binding) => (binding[3] === "read" ? "read" : "write"));
}

const specs = await allSpecs();

it.each(specs.map((spec) => [spec.label, spec] as const))(
  "%s: declared parameters and buffers are those of its WGSL",
  (_, spec) => {
    expect(Object.entries(spec.params)).toEqual(paramsOf(spec));
    expect(spec.access).toEqual(accessOf(spec));
  },
);

it("knows every kernel", () => {
  const files = import.meta.glob<string>("./*/*.wgsl", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const compiled = new Set(specs.flatMap(({ code }) => code));
  const missing = Object.entries(files).filter(
    ([, code]) => code.includes("struct Params") && !compiled.has(code),
  );
  expect(Object.keys(files).length).toBeGreaterThan(40);
  expect(missing.map(([file]) => file)).toEqual([]);
});
