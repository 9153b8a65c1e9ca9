import type { Gpu } from "../../gpu";
import { compileCall } from "../common/kernelCall";
import { KV_CODE, type KvType } from "../common/kvType";
import copyKeys from "./copy_keys.wgsl?raw";
import rerotateKeys from "./rerotate_keys.wgsl?raw";

const WORKGROUP = 64;

export interface RerotateKeysArgs {
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
export async function createRerotateKeys(gpu: Gpu, kvType: KvType, headDim: number) {
  const kv = KV_CODE[kvType];
  const groups = (threads: number, heads: number) =>
    [Math.ceil(threads / WORKGROUP), heads] as const;
  return {
    copy: await compileCall(
      gpu,
      {
        label: `copy_keys ${kvType}`,
        code: [kv, copyKeys],
        access: ["read", "read", "write"],
        params: { heads: "u32", layer: "u32" },
        constants: { WORKGROUP, PAIRS: headDim / 2 },
      },
      ({ lists, keys, copies, heads, layer, entries }: RerotateKeysArgs) => ({
        buffers: [lists, keys, copies],
        params: { heads, layer },
        groups: groups((entries * headDim) / 2, heads),
      }),
    ),
    rerotate: await compileCall(
      gpu,
      {
        label: `rerotate_keys ${kvType}`,
        code: [kv, rerotateKeys],
        access: ["read", "read", "read", "write"],
        params: { heads: "u32", layer: "u32" },
        constants: { WORKGROUP, HALF_PAIRS: headDim / 4 },
      },
      (args: RerotateKeysArgs & { readonly angles: GPUBuffer }) => ({
        buffers: [args.lists, args.copies, args.angles, args.keys],
        params: { heads: args.heads, layer: args.layer },
        groups: groups((args.entries * headDim) / 4, args.heads),
      }),
    ),
  };
}
