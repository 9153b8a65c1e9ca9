import type { Gpu } from "../../gpu";
import { compileCall } from "../common/kernelCall";
import { KV_CODE, type KvType } from "../common/kvType";
import liftKeys from "./lift_keys.wgsl?raw";
import turnKeys from "./turn_keys.wgsl?raw";

const WORKGROUP = 64;

export interface TurnKeysArgs {
  /** u32: header [layers, heads, 4], then entries (slot, lifted row, angle); see `turn_keys.wgsl`. */
  readonly lists: GPUBuffer;
  /** One layer's K. */
  readonly keys: GPUBuffer;
  /** f32 [lifted rows, headDim] */
  readonly lifted: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
  /** Largest number of entries of a head. */
  readonly entries: number;
}

export type TurnKeys = Awaited<ReturnType<typeof createTurnKeys>>;

/** @throws KernelCompileError */
export async function createTurnKeys(gpu: Gpu, kvType: KvType, headDim: number) {
  const kv = KV_CODE[kvType];
  const groups = (threads: number, heads: number) =>
    [Math.ceil(threads / WORKGROUP), heads] as const;
  return {
    lift: await compileCall(
      gpu,
      {
        label: `lift_keys ${kvType}`,
        code: [kv, liftKeys],
        access: ["read", "read", "write"],
        constants: { WORKGROUP, PAIRS: headDim / 2 },
      },
      ({ lists, keys, lifted, heads, layer, entries }: TurnKeysArgs) => ({
        buffers: [lists, keys, lifted],
        params: [heads, layer],
        groups: groups((entries * headDim) / 2, heads),
      }),
    ),
    turn: await compileCall(
      gpu,
      {
        label: `turn_keys ${kvType}`,
        code: [kv, turnKeys],
        access: ["read", "read", "read", "write"],
        constants: { WORKGROUP, HALF_PAIRS: headDim / 4 },
      },
      (args: TurnKeysArgs & { readonly angles: GPUBuffer }) => ({
        buffers: [args.lists, args.lifted, args.angles, args.keys],
        params: [args.heads, args.layer],
        groups: groups((args.entries * headDim) / 4, args.heads),
      }),
    ),
  };
}
