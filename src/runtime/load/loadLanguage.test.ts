import { afterEach, expect, it, vi } from "vitest";
import type { SelfTestResult } from "@/gpu/selfTest/selfTest";
import { loadWeights } from "@/model/checkpoint/weights";
import { loadLanguage } from "./loadLanguage";
import { rememberedSelfTest } from "./rememberedTest";

vi.mock("@/model/checkpoint/weights");
vi.mock("./rememberedTest");

afterEach(() => vi.restoreAllMocks());

it("fails only when the self-test, which holds buffers, has ended", async () => {
  let endTest: (error: Error) => void = () => undefined;
  vi.mocked(rememberedSelfTest).mockReturnValue(
    new Promise<SelfTestResult>((_, reject) => {
      endTest = reject;
    }),
  );
  vi.mocked(loadWeights).mockImplementation(async (_gpu, _config, _source, options) => {
    options?.onTypes?.({ qkv: ["f16"] } as never);
    throw new Error("no weights");
  });
  const gpu = { features: {} } as never;
  const request = { signal: new AbortController().signal, onProgress: () => undefined } as never;
  const ended = vi.fn();
  const load = loadLanguage(gpu, {} as never, {} as never, request).catch(ended);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(ended).not.toHaveBeenCalled();
  endTest(new Error("stopped"));
  await load;
  expect(ended).toHaveBeenCalledExactlyOnceWith(new Error("no weights"));
});
