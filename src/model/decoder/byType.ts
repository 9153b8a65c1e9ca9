import type { Gpu } from "@/gpu/gpu";
import type { DType } from "@/gpu/kernels/common/dtype";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import type { DecodeSizes } from "@/gpu/kernels/decode/compileProduct";
import {
  createDecodeKernels,
  type DecodeKernels,
  type DecodeSpec,
} from "@/gpu/kernels/decode/decode";
import {
  createMatmul,
  type Matmul,
  type MatmulSize,
  type MatmulSpec,
} from "@/gpu/kernels/matmul/matmul";
import type { DecoderTypes } from "../checkpoint/weights";

/** Products of many rows with matrices of several types: one kernel for each. */
export async function matmulByType(
  gpu: Gpu,
  spec: Omit<MatmulSpec, "dtype" | "sizes">,
  matrices: readonly (MatmulSize & { readonly types: readonly DType[] })[],
): Promise<Matmul> {
  const kernels = await perType(
    matrices.flatMap(({ types }) => types),
    (dtype) => {
      const sizes = matrices.filter(({ types }) => types.includes(dtype));
      return createMatmul(gpu, { ...spec, dtype, sizes });
    },
  );
  return (recorder, args) => kernels(args.matrix)(recorder, args);
}

/** The products of a decoding step with matrices of several types: kernels for each. */
export async function decodeByType(
  gpu: Gpu,
  spec: Omit<DecodeSpec, "dtype" | "sizes">,
  types: DecoderTypes,
  sizes: Required<DecodeSizes>,
): Promise<DecodeKernels> {
  const names = Object.keys(sizes) as (keyof DecodeSizes)[];
  const all = names.flatMap((name) => types[name]);
  const kernels = await perType(all, (dtype) => {
    const own = names.filter((name) => types[name].includes(dtype));
    const ownSizes = Object.fromEntries(own.map((name) => [name, sizes[name]]));
    return createDecodeKernels(gpu, { ...spec, dtype, sizes: ownSizes });
  });
  return {
    qkv: (recorder, args) => kernels(args.matrix).qkv(recorder, args),
    qkvRow: (recorder, args) => kernels(args.matrix).qkvRow(recorder, args),
    project: (recorder, args) => kernels(args.matrix).project(recorder, args),
    gated: (recorder, args) => kernels(args.matrix).gated(recorder, args),
    head: (recorder, args) => kernels(args.matrix).head(recorder, args),
  };
}

async function perType<K>(
  types: readonly DType[],
  create: (dtype: DType) => Promise<K>,
): Promise<(matrix: Matrix) => K> {
  const entries = [...new Set(types)].map(async (dtype) => [dtype, await create(dtype)] as const);
  const kernels = new Map(await Promise.all(entries));
  return ({ label, dtype }) => {
    const kernel = kernels.get(dtype);
    if (kernel) return kernel;
    throw new RangeError(`no kernel for ${label}, which is ${dtype}`);
  };
}
