import { afterAll, expect, it } from "vitest";
import { createTestGpu } from "../../../test/dawn";
import type { Gpu } from "../gpu";
import type { KernelSpec } from "../kernel";
import { PLAIN, type Variants } from "../variants";
import { checkAppend } from "./attentionChecks";
import { type CheckSpec, runCheck } from "./checkRun";
import { SelfTestError, selfTest } from "./selfTest";

const SPEC = {
  dtypes: ["bf16"],
  kvType: "f16",
  shape: { heads: 5, kvHeads: 1, headDim: 24 },
} as const;
const SHARED: Variants = { reduction: "subgroup", matmul: "tiled", flash: "tiled", attend: "wide" };

const SOFTWARE: Variants = {
  reduction: "one",
  matmul: "subgroup",
  flash: "subgroup",
  attend: "wide",
};

/** Kernels with many barriers compile slowly on a software adapter, most of all on a busy machine. */
const SLOW_MS = 400_000;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

/** An adapter on which kernels whose label matches compute something else. */
function broken(label: RegExp, edit: (code: string) => string): Gpu {
  const compile = (spec: KernelSpec) =>
    gpu.compile(label.test(spec.label) ? { ...spec, code: spec.code.map(edit) } : spec);
  return new Proxy(gpu, {
    get(target, name) {
      if (name === "compile") return compile;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

it(
  "accepts every variant here",
  async () => {
    expect(await selfTest(gpu, SHARED, SPEC)).toEqual({ variants: SHARED, notices: [] });
    expect(await selfTest(gpu, SOFTWARE, SPEC)).toEqual({ variants: SOFTWARE, notices: [] });
    expect(await selfTest(gpu, PLAIN, SPEC)).toEqual({ variants: PLAIN, notices: [] });
    for (const kvType of ["q8", "q4"] as const) {
      const spec = { ...SPEC, dtypes: [], kvType, shape: { heads: 4, kvHeads: 2, headDim: 64 } };
      expect(await selfTest(gpu, PLAIN, spec)).toEqual({ variants: PLAIN, notices: [] });
      const wrong = broken(/round_rows/, (code) => code.replace("* steps", "* 0.5 * steps"));
      await expect(selfTest(wrong, PLAIN, spec)).rejects.toThrow(SelfTestError);
    }
    const fine = { ...SHARED, attend: "fine" } as const;
    expect(await selfTest(gpu, fine, SPEC)).toEqual({ variants: fine, notices: [] });
    const halves = { ...PLAIN, matmul: gpu.features.f16 ? "tiledF16" : "tiled" } as const;
    expect(await selfTest(gpu, halves, SPEC)).toEqual({ variants: halves, notices: [] });
  },
  SLOW_MS,
);

it(
  "replaces what is wrong, and says so",
  async () => {
    // One of the kernels that add up in subgroups: the others are compiled already.
    const noSubgroups = broken(/norm subgroup/, (code) =>
      code.replace("subgroupAdd(four)", "four"),
    );
    expect(await selfTest(noSubgroups, SHARED, SPEC)).toEqual({
      variants: { ...SHARED, reduction: "workgroup" },
      notices: [{ code: "wrongKernels", kind: "reduction", variant: "subgroup" }],
    });
    const noTiled = broken(/tiled .*residual/, (code) =>
      code.replace("q < DEPTH4;", "q < DEPTH4 - 1u;"),
    );
    const { variants } = await selfTest(noTiled, { ...PLAIN, matmul: "tiled" }, SPEC);
    expect(variants).toEqual(PLAIN);
    const deaf = broken(/subgroup/, (code) => code.replace("quadBroadcast(low, 1u)", "low"));
    expect((await selfTest(deaf, SOFTWARE, SPEC)).variants).toEqual({
      ...SOFTWARE,
      matmul: "registers",
    });
  },
  SLOW_MS,
);

it(
  "checks attention that appends rows, where a model's norms or codes need it",
  async () => {
    const shape = { heads: 4, kvHeads: 2, headDim: 64, hasHeadNorm: true };
    const spec = { ...SPEC, kvType: "q8", shape } as const;
    const reduction = "subgroup";
    const errorOf = (on: Gpu, of: CheckSpec = spec) =>
      runCheck(on, (scratch, recorder) =>
        checkAppend("wide")({ gpu: on, reduction, spec: of, scratch, recorder }),
      );
    expect(await errorOf(gpu)).toBeLessThan(1e-3);
    const loud = broken(/append/, (code) => code.replace("+ EPSILON", "+ 0.5 * EPSILON"));
    expect(await errorOf(loud)).toBeGreaterThan(1e-3);
    expect(await errorOf(loud, SPEC)).toBe(0); // no such kernel runs
  },
  SLOW_MS,
);

it("gives up where the plain kernels are wrong too", async () => {
  const wrong = broken(/attend/, (code) => code.replace("exp(", "exp2("));
  await expect(selfTest(wrong, PLAIN, SPEC)).rejects.toThrow(SelfTestError);
});

it("leaves no memory behind", async () => {
  const before = gpu.memory.bytes;
  await selfTest(gpu, PLAIN, SPEC);
  expect(gpu.memory.bytes).toEqual(before);
});
