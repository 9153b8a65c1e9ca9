import { TAPS, type TapDefinitions } from "@/compression/taps/registry";
import { collectKernels, describeKernels } from "../../../test/kernelSpecs";
import { TAP_KERNELS } from "./registry";
import { compileTail } from "./tail";
import type { KernelsOf } from "./tap";

const { gpu, specs } = collectKernels();
const kernels = TAP_KERNELS as KernelsOf<TapDefinitions>;
for (const reduction of ["one", "workgroup", "subgroup"] as const) {
  const shape = { heads: 4, kvHeads: 2, headDim: 8, kvType: "f16", reduction, keys: 10 } as const;
  await compileTail(gpu, shape);
  for (const [name, { examples }] of Object.entries<TapDefinitions[string]>(TAPS)) {
    for (const example of examples) await kernels[name]!.prepare(gpu, shape, example);
  }
}

describeKernels(
  specs,
  import.meta.glob<string>("./*/*.wgsl", { query: "?raw", import: "default", eager: true }),
  17,
);
