import type { AskRequest, CacheSettings } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { median } from "@/text/stats";
import type { OpenedEngine } from "../shared/engine";
import type { Report } from "./report";

/** The cost of three lanes relative to one, for the same question with an empty cache. */
interface CompareReport {
  readonly lanes: readonly string[];
  /** Median time from the call to the first token of the first lane. */
  readonly firstTokenMs: { readonly one: number; readonly three: number };
  /** `three` / `one`: below 1.6 if the image was encoded and the prompt prefilled once. */
  readonly firstTokenRatio: number;
  /** Time of each lane's tokens after its first, and of all lanes from first to last token. */
  readonly decodeMs: { readonly lanes: readonly number[]; readonly total: number };
  /** KV bytes: the planned peak and the measured peak. */
  readonly peakBytes: { readonly planned: number; readonly measured: number };
}

const LANES: readonly (readonly [policy: string, retention: number])[] = [
  ["full", 1],
  ["aircache", 0.1],
  ["prefixkv", 0.1],
];

type Question = Pick<AskRequest, "turns" | "sampling">;

/** Alternates between one lane and three, so that drift affects both equally; `hasTime` decides on each round after the first. */
export async function benchCompare(
  page: OpenedEngine,
  question: Question,
  repeats: number,
  hasTime: (round: number) => boolean,
): Promise<CompareReport> {
  const lanes = LANES.map(([policy, retention]) => settings(policy, retention));
  const single: number[] = [];
  const several: Run[] = [];
  for (let round = 0; round < repeats && (round === 0 || hasTime(round)); round++) {
    const lane = lanes[round % lanes.length] as CacheSettings;
    single.push(await firstTokenAlone(page, question, lane));
    several.push(await compareOnce(page, question, lanes));
  }
  const last = several.at(-1) as Run;
  const one = median(single);
  const three = median(several.map(({ firstTokenMs }) => firstTokenMs));
  return {
    lanes: LANES.map(([policy, retention]) => `${policy}:${retention}`),
    firstTokenMs: { one, three },
    firstTokenRatio: three / one,
    decodeMs: { lanes: last.decodeMs, total: last.totalMs },
    peakBytes: last.peakBytes,
  };
}

async function firstTokenAlone(
  page: OpenedEngine,
  question: Question,
  lane: CacheSettings,
): Promise<number> {
  await page.clear();
  const called = performance.now();
  let first: number | undefined;
  await page.ask({ ...question, settings: lane, fresh: true }, () => {
    first ??= performance.now() - called;
  });
  return first ?? Number.NaN;
}

interface Run {
  readonly firstTokenMs: number;
  readonly decodeMs: readonly number[];
  readonly totalMs: number;
  readonly peakBytes: CompareReport["peakBytes"];
}

async function compareOnce(
  page: OpenedEngine,
  question: Question,
  lanes: readonly CacheSettings[],
): Promise<Run> {
  await page.clear();
  const called = performance.now();
  const arrivals: number[] = [];
  const decodeMs = lanes.map(() => 0);
  const outcomes = await page.compare({ ...question, lanes }, (_, { lane, index, ms }) => {
    arrivals.push(performance.now() - called);
    if (lane !== undefined && index > 0) decodeMs[lane] = (decodeMs[lane] ?? 0) + ms;
  });
  const results = outcomes.flatMap(({ result }) => result ?? []);
  const first = arrivals[0] ?? Number.NaN;
  return {
    firstTokenMs: first,
    decodeMs,
    totalMs: (arrivals.at(-1) ?? Number.NaN) - first,
    peakBytes: {
      planned: plannedPeak(results),
      measured: Math.max(...results.map(({ kvBytes }) => kvBytes.peak)),
    },
  };
}

function plannedPeak(results: readonly TurnResult[]): number {
  const planned = results[0]?.notes.plannedPeakBytes;
  return typeof planned === "number" ? planned : Number.NaN;
}

function settings(policy: string, retention: number): CacheSettings {
  return { policy, retention, scope: "visual", options: {} };
}

/** Prints what three lanes cost beside one, and whether the planned peak was right. */
export function printCompare(
  { lanes, firstTokenMs, firstTokenRatio, decodeMs, peakBytes }: CompareReport,
  report: Report,
): void {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(2);
  const each = decodeMs.lanes.map((ms) => ms.toFixed(0)).join(" + ");
  const sum = decodeMs.lanes.reduce((a, b) => a + b, 0).toFixed(0);
  report.line(
    `\ncompare ${lanes.join(", ")}: first token after ${firstTokenMs.three.toFixed(0)} ms, ` +
      `${firstTokenRatio.toFixed(2)} × one lane's ${firstTokenMs.one.toFixed(0)} ms (at most 1.6)\n` +
      `decoding ${each} = ${sum} ms one after the other, ${decodeMs.total.toFixed(0)} ms from first to last token\n` +
      `KV peak ${mb(peakBytes.measured)} MB, planned ${mb(peakBytes.planned)} MB before the first fork`,
  );
}
