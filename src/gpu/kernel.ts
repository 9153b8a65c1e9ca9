/** A kernel's access to one of its storage buffers. */
export type Access = "read" | "write";

/**
 * Uniform parameters of a kernel: name → type, in the order of the `struct Params` of its WGSL. Names
 * are in camelCase here and in snake_case there; `params.test.ts` compares the two.
 */
export type ParamTypes = Readonly<Record<string, "u32" | "f32">>;

/** A value for each parameter of a kernel. */
type ParamValues<P extends ParamTypes> = { readonly [N in keyof P]: number };

/**
 * A kernel as data. `code` is WGSL from `.wgsl` files, concatenated in order; `constants` feed its
 * `override`s. Bindings are group 0: the storage buffers in the order of `access`, then one uniform
 * block `params` of at most 64 words.
 */
export interface KernelSpec<P extends ParamTypes = ParamTypes> {
  readonly label: string;
  readonly code: readonly string[];
  readonly access: readonly Access[];
  readonly params: P;
  readonly constants?: Readonly<Record<string, number>>;
  /** WGSL extensions, for example `subgroups`. */
  readonly enable?: readonly string[];
}

/** A compiled kernel. */
export interface Kernel<P extends ParamTypes = ParamTypes> {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly params: P;
}

/** A buffer, or a part of it (bytes). */
export type Slice =
  | GPUBuffer
  | { readonly buffer: GPUBuffer; readonly offset?: number; readonly size?: number };

/** Number of workgroups per dimension. */
export type Groups = readonly [x: number, y?: number, z?: number];

/** One dispatch of a kernel: its bindings, its parameters, and its number of workgroups. */
export interface Dispatch<P extends ParamTypes = ParamTypes> {
  /** In the order of the kernel's `access`. */
  readonly buffers: readonly Slice[];
  readonly params: ParamValues<P>;
  readonly groups: Groups;
}

/** Bytes of a dispatch's uniform block; also the alignment of its offset. */
export const PARAM_BYTES = 256;
