import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { CheckSpec } from "@/gpu/selfTest/checkRun";
import { type SelfTestResult, selfTest } from "@/gpu/selfTest/selfTest";
import { tune } from "@/gpu/selfTest/tuning";
import type { Variants } from "@/gpu/variants";

const CACHE = "keepsight-self-tests";

/** What a result depends on. `build` changes with every file of the worker. */
export interface TestConditions {
  readonly build: string;
  readonly browser: string;
  readonly adapter: AdapterFacts;
  readonly wanted: Variants;
  readonly spec: CheckSpec;
}

/**
 * The self-test of an adapter, or its result from an earlier visit with the same adapter, browser, build
 * and shapes. What passes on a GPU is also tuned there. Without a cache (private windows, Node) and during development
 * it runs every time, and nothing is tuned.
 * @throws SelfTestError
 */
export async function rememberedSelfTest(
  gpu: Gpu,
  adapter: AdapterFacts,
  wanted: Variants,
  spec: CheckSpec,
): Promise<SelfTestResult> {
  if (import.meta.env.DEV || typeof caches === "undefined") return selfTest(gpu, wanted, spec);
  const test = async () => {
    const tested = await selfTest(gpu, wanted, spec);
    return adapter.isFallback ? tested : tune(gpu, tested, spec);
  };
  const conditions = { build: location.href, browser: navigator.userAgent, adapter, wanted, spec };
  return recall(await caches.open(CACHE).catch(() => undefined), conditions, test);
}

/** The stored result for `conditions`, or that of `test`, which is then stored. */
export async function recall(
  store: Cache | undefined,
  conditions: TestConditions,
  test: () => Promise<SelfTestResult>,
): Promise<SelfTestResult> {
  const address = addressOf(conditions);
  const known = await store?.match(address).catch(() => undefined);
  if (known) return (await known.json()) as SelfTestResult;
  const result = await test();
  await keep(store, address, result).catch(() => undefined); // storage may be full
  return result;
}

/** Stores a result, and removes those of other builds. */
async function keep(
  store: Cache | undefined,
  address: string,
  result: SelfTestResult,
): Promise<void> {
  const build = new URL(address).searchParams.get("build");
  for (const { url } of (await store?.keys()) ?? []) {
    if (new URL(url).searchParams.get("build") !== build) await store?.delete(url);
  }
  await store?.put(address, Response.json(result));
}

function addressOf({ build, browser, adapter, wanted, spec }: TestConditions): string {
  const { dtypes, kvType } = spec;
  const { heads, kvHeads, headDim } = spec.shape;
  const rest = { browser, adapter, wanted, dtypes, kvType, shape: [heads, kvHeads, headDim] };
  const query = new URLSearchParams({ build, conditions: JSON.stringify(rest) });
  return new URL(`self-test?${query}`, build).href;
}
