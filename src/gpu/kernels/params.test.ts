import { collectKernels, describeKernels } from "../../../test/kernelSpecs";
import type { KernelSpec } from "../kernel";
import { createAttend } from "./attention/attend";
import { createFlash } from "./attention/flash";
import { createHeadNorm } from "./attention/headNorm";
import { createRopeAppend } from "./attention/ropeAppend";
import { stepAttentionKernels } from "./attention/stepAttention";
import { evictKernels } from "./cache/evict";
import { createGatherKv } from "./cache/gatherKv";
import { createMergeKv } from "./cache/mergeKv";
import { createNearestKey } from "./cache/nearestKey";
import { createReorderKv } from "./cache/reorderKv";
import { createRerotateKeys } from "./cache/rerotateKeys";
import { createRoundRows } from "./cache/roundRows";
import { createAddFeatures } from "./common/addFeatures";
import { createEmbed } from "./common/embed";
import { createRmsNorm } from "./common/rmsNorm";
import { createDecodeKernels } from "./decode/decode";
import { createMatmul } from "./matmul/matmul";
import { createSampler } from "./sampling/sample";
import { createBlendRows } from "./vision/blendRows";
import { createGatherRows } from "./vision/gatherRows";
import { createImagePatches } from "./vision/imagePatches";
import { createLayerNorm } from "./vision/layerNorm";
import { createMaxAbs } from "./vision/maxAbs";
import { createReceivedAttention } from "./vision/receivedAttention";

const HEADS = { heads: 4, kvHeads: 2, headDim: 8 };
const CODED_HEADS = { ...HEADS, headDim: 32 };

/** Specs of all kernels, in every reduction. */
async function allSpecs(): Promise<readonly KernelSpec[]> {
  const { gpu, specs } = collectKernels();
  for (const reduction of ["one", "workgroup", "subgroup"] as const) {
    await createAttend(gpu, { reduction, kvType: "f16", shape: HEADS });
    await createAttend(gpu, { reduction, kvType: "q8", shape: CODED_HEADS, newRow: {} });
    await createRmsNorm(gpu, reduction);
    await createHeadNorm(gpu, reduction);
    await createLayerNorm(gpu, reduction);
    await createDecodeKernels(gpu, { reduction, dtype: "bf16", kvType: "f16" });
    await createDecodeKernels(gpu, { reduction, dtype: "bf16", kvType: "f16", newRow: {} });
    await createSampler(gpu, reduction);
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
  const vision = [createImagePatches, createGatherRows, createBlendRows, createAddFeatures];
  for (const create of [...vision, createReceivedAttention, createMaxAbs]) await create(gpu);
  await createRopeAppend(gpu, "f32");
  await createRopeAppend(gpu, "f32", true);
  await createEmbed(gpu, "f16");
  await createEmbed(gpu, "q4g32");
  for (const create of [createGatherKv, createNearestKey, createReorderKv]) {
    await create(gpu, "f16", HEADS.headDim);
  }
  await createMergeKv(gpu, "f16", HEADS.headDim, "one");
  await createRerotateKeys(gpu, "f32", HEADS.headDim, "one");
  await createRoundRows(gpu, "q8", HEADS, "one");
  return specs;
}

const specs = await allSpecs();

describeKernels(
  specs,
  import.meta.glob<string>("./*/*.wgsl", { query: "?raw", import: "default", eager: true }),
  50,
);
