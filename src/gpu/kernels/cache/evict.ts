import type { Gpu } from "../../gpu";
import type { Queries } from "../attention/queries";
import { type Compiled, compileCall } from "../common/kernelCall";
import type { CachedShape } from "../kv/cacheBinding";
import { kvCode } from "../kv/kvCode";
import { kvUnits } from "../kv/kvType";
import evictMove from "./evict_move.wgsl?raw";
import evictScan from "./evict_scan.wgsl?raw";
import evictScore from "./evict_score.wgsl?raw";

const WORKGROUP = 64;

/** Number of invocations that search one head. */
export const EVICT_PARTS = 64;
/** Value of an order: the victim is the row with the lowest score. */
export const EVICT_LOWEST = 0xffffffff;
/** u32 words of an order. */
export const EVICT_ORDER_WORDS = 8;

/** Scores and positions of all slots, with all layers' regions concatenated. */
export interface SlotScores {
  /** f32 [flat rows] */
  readonly scores: GPUBuffer;
  /** u32 [flat rows] */
  readonly positions: GPUBuffer;
}

/** Inputs of one round of evictions. */
interface EvictRound {
  readonly table: GPUBuffer;
  /** u32 [layers, kvHeads, EVICT_ORDER_WORDS]; see `evict_scan.wgsl`. */
  readonly orders: GPUBuffer;
  /** [layers, kvHeads, EVICT_PARTS, 2] */
  readonly candidates: GPUBuffer;
  readonly slots: SlotScores;
}

export type EvictKernels = Compiled<ReturnType<typeof evictKernels>>;

/** Kernels by name, for `compileNamed`. */
export function evictKernels(gpu: Gpu, shape: CachedShape) {
  return {
    score: () => compileScore(gpu, shape),
    scan: () => compileScan(gpu, shape),
    move: () => compileMove(gpu, shape),
  };
}

function compileScore(gpu: Gpu, { heads, kvHeads, headDim, kvType }: CachedShape) {
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return compileCall(
    gpu,
    {
      label: `evict_score ${kvType}`,
      code: [...kv.code, evictScore],
      access: ["read", "read", "read", "read", "read", "write", "write"],
      params: { layer: "u32", heads: "u32", kvHeads: "u32", adds: "u32", scale: "f32" },
      constants: { ...kv.constants, WORKGROUP },
    },
    (args: {
      readonly table: GPUBuffer;
      readonly k: GPUBuffer;
      readonly query: Queries;
      /** u32 [1]: original position of the newest row. */
      readonly clock: GPUBuffer;
      readonly slots: SlotScores;
      readonly layer: number;
      /** Largest capacity of the layer's heads. */
      readonly capacity: number;
      readonly adds: boolean;
    }) => ({
      buffers: [
        ...[args.table, args.k, args.query.q, args.query.lse, args.clock],
        ...[args.slots.scores, args.slots.positions],
      ],
      params: {
        layer: args.layer,
        heads,
        kvHeads,
        adds: args.adds ? 1 : 0,
        scale: 1 / Math.sqrt(headDim),
      },
      groups: [Math.ceil(args.capacity / WORKGROUP), kvHeads],
    }),
  );
}

function compileScan(gpu: Gpu, { kvHeads }: CachedShape) {
  return compileCall(
    gpu,
    {
      label: "evict_scan",
      code: [evictScan],
      access: ["read", "read", "read", "read", "write"],
      params: { kvHeads: "u32", sharedRows: "u32" },
    },
    (args: EvictRound & { readonly layers: number; readonly sharesRows: boolean }) => ({
      buffers: [
        ...[args.table, args.orders, args.slots.scores, args.slots.positions],
        args.candidates,
      ],
      params: { kvHeads, sharedRows: args.sharesRows ? 1 : 0 },
      groups: [1, args.layers * kvHeads],
    }),
  );
}

function compileMove(gpu: Gpu, { kvHeads, headDim, kvType }: CachedShape) {
  const kv = kvCode(kvType, headDim);
  return compileCall(
    gpu,
    {
      label: `evict_move ${kvType}`,
      code: [...kv.code, evictMove],
      access: ["read", "read", "read", "write", "write", "write", "write"],
      params: { layer: "u32", kvHeads: "u32", hasLedger: "u32" },
      constants: { ...kv.constants, WORKGROUP },
    },
    (
      args: EvictRound & {
        readonly k: GPUBuffer;
        readonly v: GPUBuffer;
        readonly layer: number;
        /** Scores and positions are stored and move with the rows. */
        readonly hasLedger: boolean;
      },
    ) => ({
      buffers: [
        ...[args.table, args.orders, args.candidates, args.k, args.v],
        ...[args.slots.scores, args.slots.positions],
      ],
      params: { layer: args.layer, kvHeads, hasLedger: args.hasLedger ? 1 : 0 },
      groups: [Math.ceil((kvHeads * kvUnits(kvType, headDim)) / WORKGROUP)],
    }),
  );
}
