import type { Gpu } from "../../gpu";
import { compileCall } from "../common/kernelCall";
import { foldGroups, type Reduction, reductionCode, unitGroups } from "../common/reduction";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvGroups } from "../kv/kvType";
import copyKeys from "./copy_keys.wgsl?raw";
import rerotateKeys from "./rerotate_keys.wgsl?raw";

const WORKGROUP = 64;

interface RerotateKeysArgs {
  /** u32: header [layers, heads, 4], then entries (slot, copies row, angle); see `rerotate_keys.wgsl`. */
  readonly lists: GPUBuffer;
  /** One layer's K. */
  readonly keys: GPUBuffer;
  /** f32 [copies, headDim]: keys as `copy` found them. */
  readonly copies: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
  /** Largest number of entries of a head. */
  readonly entries: number;
}

export type RerotateKeys = Awaited<ReturnType<typeof createRerotateKeys>>;

/** Rotates cached keys to other positions. @throws KernelCompileError */
export async function createRerotateKeys(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
  reduction: Reduction,
) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const read = kvCode(kvType, headDim, { read: ["keys"] });
  const stored = kvCode(kvType, headDim, { store: ["keys"] });
  return {
    copy: await compileCall(
      gpu,
      {
        label: `copy_keys ${kvType}`,
        code: [...read.code, copyKeys],
        access: ["read", "read", "write"],
        params: { heads: "u32", layer: "u32" },
        constants: { ...read.constants, WORKGROUP },
      },
      ({ lists, keys, copies, heads, layer, entries }: RerotateKeysArgs) => {
        const [x, y = 1] = foldGroups(Math.ceil((entries * headDim) / 4 / WORKGROUP));
        return { buffers: [lists, keys, copies], params: { heads, layer }, groups: [x, y, heads] };
      },
    ),
    rerotate: await compileCall(
      gpu,
      {
        label: `rerotate_keys ${kvType}`,
        code: [code, ...stored.code, rerotateKeys],
        access: ["read", "read", "read", "write"],
        params: { heads: "u32", layer: "u32" },
        enable,
        constants: { ...constants, ...stored.constants },
      },
      (args: RerotateKeysArgs & { readonly angles: GPUBuffer }) => {
        const { lists, copies, angles, keys, heads, layer, entries } = args;
        const [x, y = 1] = unitGroups(reduction, entries * kvGroups(kvType, headDim));
        return {
          buffers: [lists, copies, angles, keys],
          params: { heads, layer },
          groups: [x, y, heads],
        };
      },
    ),
  };
}
