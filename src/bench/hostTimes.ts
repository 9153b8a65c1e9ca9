import type { Gpu } from "@/gpu/gpu";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import type { Decoder } from "@/model/decoder/decoder";
import { DecodeSteps } from "@/model/decoder/decodeSteps";
import { SUBMITS_IN_FLIGHT } from "@/model/decoder/tokenReadback";
import type { KvCache } from "@/model/kv/cache";

/** Milliseconds of the host in a decoding step; those of a group are divided by its steps. */
export interface HostStep {
  /** `writeBuffer`: rotary angles, the cache's table. */
  readonly write: number;
  /** From `createCommandEncoder` to the end of `finish`. */
  readonly encode: number;
  readonly submit: number;
  /** The rest of the synchronous part. */
  readonly other: number;
  /** Until the oldest tokens in flight were read. */
  readonly wait: number;
}

interface HostTimes {
  /** With `SUBMITS_IN_FLIGHT` groups in flight. */
  readonly steps: readonly HostStep[];
  /** Milliseconds of one step alone, from its first call to its token. */
  readonly alone: readonly number[];
  /** The last part of `alone`: from the end of the GPU's work to the token. */
  readonly readback: readonly number[];
}

type Part = "write" | "encode" | "submit";

/**
 * Splits the wall time of greedy decoding steps by what the host does: `count` steps in groups of `group`, then
 * `count` steps alone. The cache is as before afterwards.
 */
export async function timeHost(
  decoder: Decoder,
  cache: KvCache,
  count: number,
  group: number,
): Promise<HostTimes> {
  const clock = new HostClock(decoder.gpu);
  const steps = new DecodeSteps(decoder, { cache, sampling: GREEDY, maxNewTokens: 2 * count });
  try {
    const flying = await stepsInFlight(steps, clock, count, group);
    const [alone, readback]: [number[], number[]] = [[], []];
    while (steps.submitted < 2 * count) {
      const started = performance.now();
      const token = steps.submit();
      await decoder.gpu.device.queue.onSubmittedWorkDone();
      const done = performance.now();
      await token;
      alone.push(performance.now() - started);
      readback.push(performance.now() - done);
    }
    return { steps: flying, alone, readback };
  } finally {
    clock.stop();
    steps.destroy();
    cache.truncate(steps.submitted);
  }
}

async function stepsInFlight(
  steps: DecodeSteps,
  clock: HostClock,
  count: number,
  group: number,
): Promise<HostStep[]> {
  const flying: Promise<unknown>[] = [];
  const times: HostStep[] = [];
  while (times.length < count / group) {
    clock.reset();
    const started = performance.now();
    while (flying.length < SUBMITS_IN_FLIGHT && steps.submitted < count) {
      flying.push(steps.submit(group));
    }
    const recorded = performance.now();
    await flying.shift();
    const each = (ms: number) => ms / group;
    const [write, encode, submit] = [clock.parts.write, clock.parts.encode, clock.parts.submit];
    times.push({
      write: each(write),
      encode: each(encode),
      submit: each(submit),
      other: each(recorded - started - write - encode - submit),
      wait: each(performance.now() - recorded),
    });
  }
  return times;
}

/** Measures the calls of a device by putting itself in front of them. */
class HostClock {
  readonly parts: Record<Part, number> = { write: 0, encode: 0, submit: 0 };
  readonly #device: GPUDevice;

  constructor({ device }: Gpu) {
    this.#device = device;
    const { queue } = device;
    const create = device.createCommandEncoder.bind(device);
    queue.writeBuffer = this.#timed("write", queue.writeBuffer.bind(queue));
    queue.submit = this.#timed("submit", queue.submit.bind(queue));
    device.createCommandEncoder = (descriptor) => {
      const started = performance.now();
      const encoder = create(descriptor);
      const finish = encoder.finish.bind(encoder);
      encoder.finish = (...args) => {
        const commands = finish(...args);
        this.parts.encode += performance.now() - started;
        return commands;
      };
      return encoder;
    };
  }

  reset(): void {
    Object.assign(this.parts, { write: 0, encode: 0, submit: 0 });
  }

  stop(): void {
    const device: Partial<GPUDevice> = this.#device;
    const queue: Partial<GPUQueue> = this.#device.queue;
    delete device.createCommandEncoder;
    delete queue.writeBuffer;
    delete queue.submit;
  }

  #timed<A extends unknown[], R>(part: Part, call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      const started = performance.now();
      const result = call(...args);
      this.parts[part] += performance.now() - started;
      return result;
    };
  }
}
