import type { Gpu } from "../../gpu";
import { type Compiled, compileCall } from "../common/kernelCall";
import type { CachedShape } from "../kv/cacheBinding";
import { kvCode } from "../kv/kvCode";
import type { Queries } from "./queries";
import attention from "./step_attention.wgsl?raw";
import locate from "./step_attention_locate.wgsl?raw";

const WORKGROUP = 64;

/** Value of a place: the slot holds its row in every step. */
export const PLACE_ALWAYS = 0xffffffff;
/** Value of a place: no slot holds the row in any step. */
export const PLACE_NEVER = 0xfffffffe;
/** No column for this position. */
export const NO_COLUMN = 0xffffffff;

export type StepAttentionKernels = Compiled<ReturnType<typeof stepAttentionKernels>>;

/** Inputs of both kernels. */
interface StepArgs {
  readonly table: GPUBuffer;
  /** u32 [2]: number of the step, original position of the row that it appends. */
  readonly clock: GPUBuffer;
  /** u32 [layers, kvHeads, watched rows, 2]: slot, and the step in which it holds the row. */
  readonly places: GPUBuffer;
  readonly layers: number;
  /** Number of watched rows. */
  readonly watched: number;
}

interface StepAttentionArgs extends StepArgs {
  readonly k: GPUBuffer;
  readonly query: Queries;
  /** [steps, layers, watched rows] bytes, each line padded to a multiple of 4; zeroed. */
  readonly cells: GPUBuffer;
  readonly layer: number;
  readonly steps: number;
}

interface StepLocateArgs extends StepArgs {
  /** u32 [positions]: column of each original position, or `NO_COLUMN`. */
  readonly columns: GPUBuffer;
  /** u32 [flat rows]: original position of each slot's row. */
  readonly positions: GPUBuffer;
  /** Largest capacity of any head. */
  readonly capacity: number;
}

/** Bytes of one layer's line in one step. */
export function stepLineBytes(watched: number): number {
  return Math.ceil(watched / 4) * 4;
}

/** Kernels by name, for `compileNamed`. */
export function stepAttentionKernels(gpu: Gpu, { heads, kvHeads, headDim, kvType }: CachedShape) {
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return {
    attention: () =>
      compileCall(
        gpu,
        {
          label: `step_attention ${kvType}`,
          code: [...kv.code, attention],
          access: ["read", "read", "read", "read", "read", "read", "write"],
          params: {
            layer: "u32",
            layers: "u32",
            heads: "u32",
            kvHeads: "u32",
            columns: "u32",
            steps: "u32",
            scale: "f32",
          },
          constants: { ...kv.constants, WORKGROUP },
        },
        (args: StepAttentionArgs) => ({
          buffers: [
            ...[args.table, args.k, args.query.q, args.query.lse],
            ...[args.clock, args.places, args.cells],
          ],
          params: {
            layer: args.layer,
            layers: args.layers,
            heads,
            kvHeads,
            columns: args.watched,
            steps: args.steps,
            scale: 1 / Math.sqrt(headDim),
          },
          groups: [Math.ceil(args.watched / WORKGROUP)],
        }),
      ),

    locate: () =>
      compileCall(
        gpu,
        {
          label: "step_attention_locate",
          code: [locate],
          access: ["read", "read", "read", "write", "write"],
          params: { known: "u32", watched: "u32" },
          constants: { WORKGROUP },
        },
        (args: StepLocateArgs) => ({
          buffers: [args.table, args.clock, args.columns, args.positions, args.places],
          params: { known: args.columns.size / 4, watched: args.watched },
          groups: [Math.ceil(args.capacity / WORKGROUP), args.layers * kvHeads],
        }),
      ),
  };
}
