import type { Decoder } from "@/model/decoder/decoder";
import type { PassTimes } from "../passTimes";
import { benchIds, filledCache, greedyIds, greedySteps, timePrefill } from "../stepCases";
import { OrtDecoder, type OrtModule } from "./ortDecoder";

/** The same work by our decoder and by ONNX Runtime. */
interface Both<T> {
  readonly ours: T;
  readonly ort: T;
}

interface OrtTimes {
  /** Type of ONNX Runtime's weights, cache and arithmetic. */
  readonly type: string;
  /** Greedy ids after one prompt. */
  readonly ids: Both<readonly number[]>;
  /** Milliseconds of every step. */
  readonly decode: readonly ({ readonly rows: number } & Both<readonly number[]>)[];
  /** GPU milliseconds of a step; absent without timestamps. */
  readonly gpu: readonly ({ readonly rows: number } & Both<number>)[];
  readonly prefill: readonly ({ readonly rows: number } & Both<readonly number[]>)[];
}

interface OrtSizes {
  readonly rows: readonly number[];
  readonly prefill: readonly number[];
  readonly steps: number;
  readonly repeats: number;
}

const PROMPT_ROWS = 40;
const CHECKED_TOKENS = 8;

/** Prefill and decoding of the same weights, in turns. */
export async function compareWithOrt(
  ort: OrtModule,
  decoder: Decoder,
  { rows, prefill, steps, repeats }: OrtSizes,
  times: PassTimes | undefined,
): Promise<OrtTimes> {
  const capacity = Math.max(
    ...rows.map((count) => count + steps),
    ...prefill,
    PROMPT_ROWS + CHECKED_TOKENS,
  );
  const ortDecoder = await OrtDecoder.create(ort, decoder, capacity);
  try {
    const prompt = benchIds(PROMPT_ROWS);
    const first = await ortDecoder.prefill(prompt);
    const rest = await ortDecoder.decode(first, PROMPT_ROWS, CHECKED_TOKENS - 1);
    const ids = {
      ours: await greedyIds(decoder, prompt, CHECKED_TOKENS),
      ort: [first, ...rest.ids],
    };
    const prefills = [];
    for (const count of prefill)
      prefills.push(await prefillInTurns(decoder, ortDecoder, count, repeats));
    await ortDecoder.fill();
    const decode = [];
    const gpu = [];
    for (const count of rows) {
      const cache = await filledCache(decoder, count);
      const both = { ours: [] as number[], ort: [] as number[] };
      for (let run = 0; run <= repeats; run++) {
        const ours = await greedySteps(decoder, cache, steps);
        const { ms } = await ortDecoder.decode(first, count, steps);
        if (run === 0) continue; // warm-up
        both.ours.push(...ours);
        both.ort.push(...ms);
      }
      decode.push({ rows: count, ...both });
      if (times) {
        const sum = async (work: () => Promise<unknown>) =>
          (await times.run("pass", work)).reduce((total, { us }) => total + us / 1000, 0) / steps;
        const ours = await sum(() => greedySteps(decoder, cache, steps));
        gpu.push({
          rows: count,
          ours,
          ort: await sum(() => ortDecoder.decode(first, count, steps)),
        });
      }
      cache.destroy();
    }
    return { type: ortDecoder.type, ids, decode, gpu, prefill: prefills };
  } finally {
    await ortDecoder.destroy();
  }
}

async function prefillInTurns(
  decoder: Decoder,
  ortDecoder: OrtDecoder,
  rows: number,
  repeats: number,
) {
  const both = { ours: [] as number[], ort: [] as number[] };
  const ids = benchIds(rows);
  for (let run = 0; run <= repeats; run++) {
    const ours = await timePrefill(decoder, rows);
    const started = performance.now();
    await ortDecoder.prefill(ids);
    const ort = performance.now() - started;
    if (run === 0) continue; // warm-up
    both.ours.push(ours);
    both.ort.push(ort);
  }
  return { rows, ...both };
}
