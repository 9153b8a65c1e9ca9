import { expect, it } from "vitest";
import type { Gpu } from "@/gpu/gpu";
import type { KernelSpec } from "@/gpu/kernel";

/** A device that compiles nothing, and what it was asked to compile. */
export function collectKernels(): { readonly gpu: Gpu; readonly specs: KernelSpec[] } {
  const specs: KernelSpec[] = [];
  const compile = async (spec: KernelSpec) => {
    specs.push(spec);
    return {};
  };
  return { gpu: { compile } as unknown as Gpu, specs };
}

/** Tests that kernels declare the parameters of their WGSL, and that all of `files` are covered. */
export function describeKernels(
  specs: readonly KernelSpec[],
  files: Readonly<Record<string, string>>,
  fewestFiles: number,
): void {
  it.each(specs.map((spec) => [spec.label, spec] as const))(
    "%s: declared parameters and buffers are those of its WGSL",
    (_, spec) => {
      expect(Object.entries(spec.params)).toEqual(paramsOf(spec));
      expect(spec.access).toEqual(accessOf(spec));
    },
  );

  it("knows every kernel", () => {
    const compiled = new Set(specs.flatMap(({ code }) => code));
    const missing = Object.entries(files).filter(
      ([, code]) => code.includes("struct Params") && !compiled.has(code),
    );
    expect(Object.keys(files).length).toBeGreaterThanOrEqual(fewestFiles);
    expect(missing.map(([file]) => file)).toEqual([]);
  });
}

/** Fields of the one `struct Params` of a kernel, in order, with names in camelCase. */
function paramsOf({ label, code }: KernelSpec): readonly (readonly [string, string])[] {
  const structs = [...code.join("\n").matchAll(/struct Params \{([^}]*)\}/g)];
  expect(structs, label).toHaveLength(1);
  const lines = (structs[0]?.[1] ?? "").replace(/\/\/.*/g, "").split(",");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", type = ""] = line.split(/\s*:\s*/);
      return [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), type] as const;
    });
}

/** Access of a kernel's storage buffers by binding; the uniform block comes after the last of them. */
function accessOf({ label, code }: KernelSpec): readonly string[] {
  const bindings = code.join("\n").matchAll(/@binding\((\d+)\) var<(\w+)(?:, (\w+))?>/g);
  const sorted = [...bindings].toSorted((a, b) => Number(a[1]) - Number(b[1]));
  expect(
    sorted.map((binding) => Number(binding[1])),
    label,
  ).toEqual([...sorted.keys()]);
  expect(sorted.at(-1)?.[2], label).toBe("uniform");
  return sorted.slice(0, -1).map((binding) => (binding[3] === "read" ? "read" : "write"));
}
