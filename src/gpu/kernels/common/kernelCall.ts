import type { Gpu } from "../../gpu";
import type { Dispatch, KernelSpec, ParamTypes } from "../../kernel";
import type { Recorder } from "../../recorder";

/** Records one dispatch of a kernel. */
export type KernelCall<Args> = (recorder: Recorder, args: Args) => void;

/**
 * Compiles a kernel whose dispatch is derived from typed arguments. A dispatch without workgroups
 * is left out.
 * @throws KernelCompileError
 */
export async function compileCall<Args, P extends ParamTypes>(
  gpu: Gpu,
  spec: KernelSpec<P>,
  call: (args: Args) => Dispatch<NoInfer<P>>,
): Promise<KernelCall<Args>> {
  const kernel = await gpu.compile(spec);
  return (recorder, args) => {
    const dispatch = call(args);
    if (dispatch.groups.every((count) => count !== 0)) recorder.dispatch(kernel, dispatch);
  };
}

/** Kernels that are compiling, by name, when all of them are compiled. @throws KernelCompileError */
export async function compileAll<K extends Readonly<Record<string, unknown>>>(
  kernels: K,
): Promise<{ readonly [N in keyof K]: Awaited<K[N]> }> {
  const entries = Object.entries(kernels).map(async ([name, kernel]) => [name, await kernel]);
  return Object.fromEntries(await Promise.all(entries));
}

type Kernels = Readonly<Record<string, () => Promise<KernelCall<never>>>>;

/** Compiled kernels by name. */
export type Compiled<K extends Kernels> = { readonly [N in keyof K]: Awaited<ReturnType<K[N]>> };

/**
 * Compiles the named kernels in parallel; the others throw when called.
 * @throws KernelCompileError
 */
export async function compileNamed<K extends Kernels>(
  kernels: K,
  names: ReadonlySet<keyof K>,
): Promise<Compiled<K>> {
  const entries = Object.entries(kernels).map(async ([name, compile]) => {
    if (names.has(name)) return [name, await compile()] as const;
    return [name, notCompiled(name)] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Compiled<K>;
}

function notCompiled(name: string): KernelCall<never> {
  return () => {
    throw new Error(`${name} was not among the kernels to compile`);
  };
}
