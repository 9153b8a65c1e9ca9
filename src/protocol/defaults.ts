import type { CacheSettings, Sampling } from "./request";

/** Half of the image's rows, by the policy that changes the embedded model's answers least. */
export const DEFAULT_SETTINGS: CacheSettings = {
  policy: "snapkv",
  retention: 0.5,
  scope: "visual",
  options: {},
};

/** Sampling that takes the likeliest token at each step. */
export function greedy(maxNewTokens: number): Sampling {
  return { maxNewTokens, temperature: 0, topK: 0, topP: 1, seed: 0 };
}

/** Greedy, so that the answers of two policies differ by their caches alone. */
export const DEFAULT_SAMPLING = greedy(256);
