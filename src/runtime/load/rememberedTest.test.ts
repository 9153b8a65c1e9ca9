import { expect, it } from "vitest";
import type { SelfTestResult } from "@/gpu/selfTest/selfTest";
import { PLAIN } from "@/gpu/variants";
import { recall, type TestConditions } from "./rememberedTest";

const CONDITIONS: TestConditions = {
  build: "https://host.test/assets/worker-1.js",
  browser: "browser 1",
  adapter: {
    vendor: "vendor",
    architecture: "chip",
    description: "",
    isFallback: false,
    features: [],
  },
  wanted: PLAIN,
  spec: { dtypes: ["f16"], kvType: "f16", shape: { heads: 4, kvHeads: 2, headDim: 64 } },
};
const RESULT: SelfTestResult = {
  variants: PLAIN,
  notices: [{ code: "wrongKernels", kind: "matmul", variant: "tiled" }],
};

/** The part of a `Cache` that is used. */
function memoryCache(): { readonly store: Cache; readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  const store = {
    match: async (url: string) => (entries.has(url) ? new Response(entries.get(url)) : undefined),
    put: async (url: string, response: Response) => {
      entries.set(url, await response.text());
    },
    delete: async (url: string) => entries.delete(url),
    keys: async () => [...entries.keys()].map((url) => ({ url })),
  };
  return { store: store as unknown as Cache, entries };
}

it("tests an adapter once, and again when anything has changed", async () => {
  const { store, entries } = memoryCache();
  let tests = 0;
  const ask = (conditions: Partial<TestConditions> = {}, at: Cache | undefined = store) =>
    recall(at, { ...CONDITIONS, ...conditions }, async () => {
      tests++;
      return RESULT;
    });
  expect(await ask()).toEqual(RESULT);
  expect(await ask()).toEqual(RESULT);
  expect(tests).toBe(1);
  await ask({ adapter: { ...CONDITIONS.adapter, architecture: "other" } });
  await ask({ spec: { ...CONDITIONS.spec, kvType: "f32" } });
  await ask({ browser: "browser 2" });
  expect(tests).toBe(4);
  expect(entries.size).toBe(4);
  await ask({ build: "https://host.test/assets/worker-2.js" });
  expect(entries.size).toBe(1);
  await recall(undefined, CONDITIONS, async () => RESULT);
});

it("does not remember a failure", async () => {
  const { store, entries } = memoryCache();
  const failing = recall(store, CONDITIONS, () => Promise.reject(new Error("wrong results")));
  await expect(failing).rejects.toThrow("wrong results");
  expect(entries.size).toBe(0);
});
