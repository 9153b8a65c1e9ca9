import { agreement, agreementCounts } from "@/text/agreement";
import { median } from "@/text/stats";
import { type PairedDifference, pairedDifference } from "./pairedDifference";

/** Result of one question under one policy. */
export interface LaneAnswer {
  /** `policy:retention`. */
  readonly lane: string;
  /** Absent if the lane failed. */
  readonly answer?: string;
  readonly failure?: string;
  /** KV bytes after trimming, and of the full cache. */
  readonly kvBytes?: number;
  readonly fullBytes?: number;
  /** Natural logarithm of each token's probability. */
  readonly logProbabilities?: readonly number[];
  /** Median of the answer's decode steps. */
  readonly msPerToken?: number;
}

/** One question and its answers, one per policy. */
export interface Answered {
  readonly key: string;
  readonly world: string;
  readonly expected: string;
  /** Another implementation's answer. */
  readonly reference?: string;
  readonly lanes: readonly LaneAnswer[];
  /** What computed the answers. */
  readonly adapter?: string;
}

/** Scores of a policy over all questions. Shares are in [0, 1]. */
interface LaneScores {
  readonly lane: string;
  readonly questions: number;
  /** Questions without an answer; they count as wrong. */
  readonly failures: number;
  readonly exactMatch: number;
  readonly worlds: Readonly<
    Record<string, { readonly exactMatch: number; readonly questions: number }>
  >;
  readonly rougeL: number;
  /** Word agreement with the lane of policy `full`, if there is one; see text/agreement.ts. */
  readonly agreementWithFull?: number;
  /** Exact matches against those of the lane of policy `full`, if there is another one. */
  readonly againstFull?: PairedDifference;
  /** Against the given reference answers, over the questions that have one. */
  readonly reference?: {
    readonly questions: number;
    /** Same text, character for character. */
    readonly same: number;
    readonly agreement: number;
  };
  /** Medians over the questions. */
  readonly kvBytes: number;
  readonly fullBytes: number;
  readonly msPerToken: number;
}

/** Scores of every lane, in the order of the first question's lanes. */
export function scoreLanes(answered: readonly Answered[]): LaneScores[] {
  return (answered[0]?.lanes ?? []).map(({ lane }) => scoreLane(lane, answered));
}

function scoreLane(lane: string, answered: readonly Answered[]): LaneScores {
  const rows = answered.map((question) => {
    const given = question.lanes.find((each) => each.lane === lane);
    const full = question.lanes.find((each) => each.lane.startsWith("full:"))?.answer;
    return { ...question, given, full, answer: given?.answer };
  });
  const answers = rows.filter((row) => row.answer !== undefined);
  const withFull = rows.filter((row) => row.full !== undefined);
  const paired = lane.startsWith("full:") || withFull.length === 0 ? undefined : againstFull(rows);
  const referred = rows.filter((row) => row.reference !== undefined);
  const medianOf = (field: "kvBytes" | "fullBytes" | "msPerToken") =>
    median(rows.map((row) => row.given?.[field]).filter((value) => value !== undefined));
  return {
    lane,
    questions: rows.length,
    failures: rows.length - answers.length,
    exactMatch: mean(rows.map(isExact)),
    worlds: perWorld(rows),
    rougeL: mean(rows.map(({ answer, expected }) => rougeL(answer ?? "", expected))),
    ...(withFull.length === 0
      ? {}
      : {
          agreementWithFull: mean(
            withFull.map((row) => agreement(row.answer ?? "", row.full ?? "")),
          ),
        }),
    ...(paired === undefined ? {} : { againstFull: paired }),
    ...(referred.length === 0
      ? {}
      : {
          reference: {
            questions: referred.length,
            same: referred.filter((row) => row.answer === row.reference).length,
            agreement: mean(referred.map((r) => agreement(r.answer ?? "", r.reference ?? ""))),
          },
        }),
    kvBytes: medianOf("kvBytes"),
    fullBytes: medianOf("fullBytes"),
    msPerToken: medianOf("msPerToken"),
  };
}

type Row = Answered & {
  readonly answer: string | undefined;
  readonly full: string | undefined;
};

/** As in training/evaluate.py: equal text after trimming white space. */
function isExact({ answer, expected }: Pick<Row, "answer" | "expected">): number {
  return answer?.trim() === expected.trim() ? 1 : 0;
}

function againstFull(rows: readonly Row[]): PairedDifference {
  const changes = rows.map((row) => isExact(row) - isExact({ ...row, answer: row.full }));
  const count = (change: number) => changes.filter((each) => each === change).length;
  return pairedDifference(count(1), count(-1), rows.length);
}

function perWorld(rows: readonly Row[]): LaneScores["worlds"] {
  return Object.fromEntries(
    [...new Set(rows.map(({ world }) => world))].map((world) => {
      const own = rows.filter((row) => row.world === world);
      return [world, { exactMatch: mean(own.map(isExact)), questions: own.length }];
    }),
  );
}

/**
 * ROUGE-L (Lin 2004), F with β = 1: longest common subsequence of the words, in lower case, letters
 * and digits only. 1 for two texts without words.
 */
export function rougeL(answer: string, expected: string): number {
  const [a, b] = [rougeWords(answer), rougeWords(expected)];
  if (a.length + b.length === 0) return 1;
  const { common } = agreementCounts(a.join(" "), b.join(" "));
  return (2 * common) / (a.length + b.length);
}

function rougeWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * One line per lane: accuracy, its difference from the full cache's in points with the 95 %
 * interval, ROUGE-L, agreement, bytes, time; then exact match per world.
 */
export function formatTable(scores: readonly LaneScores[]): string {
  const worlds = Object.keys(scores[0]?.worlds ?? {});
  const head = [
    "policy",
    "exact",
    "against full",
    "ROUGE-L",
    "as full",
    "as ref.",
    "KV MB",
    "ms/token",
    ...worlds,
  ];
  const body = scores.map((lane) => [
    lane.lane,
    percent(lane.exactMatch),
    points(lane.againstFull),
    lane.rougeL.toFixed(3),
    percent(lane.agreementWithFull),
    lane.reference ? `${lane.reference.same}/${lane.reference.questions}` : "–",
    (lane.kvBytes / 1e6).toFixed(2),
    lane.msPerToken.toFixed(1),
    ...worlds.map((world) => percent(lane.worlds[world]?.exactMatch)),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
  return `${[head, ...body].map((row) => line(row).join("  ")).join("\n")}\n`;
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
}

/** "-4.0 (-7.6 to -1.1)" */
function points(paired: PairedDifference | undefined): string {
  if (paired === undefined) return "–";
  const { difference, low, high } = paired;
  const [middle, from, to] = [difference, low, high].map((share) => (share * 100).toFixed(1));
  return `${middle} (${from} to ${to})`;
}
