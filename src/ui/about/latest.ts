import { texts } from "@/language/language";
import type { CacheSettings } from "@/protocol/request";
import type { LayerReport, TurnResult } from "@/protocol/result";
import type { ChatConversation } from "@/store/conversation/conversation";

/** An answer of the conversation on the page, with what it was asked under. */
interface LatestAnswer {
  readonly question: string;
  readonly settings: CacheSettings;
  readonly result: TurnResult;
}

/** The newest answer, of one policy or of any. */
export function latestAnswer(
  { exchanges }: ChatConversation,
  policy?: string,
): LatestAnswer | undefined {
  const answers = exchanges.flatMap(({ question, attempts }) =>
    attempts.flatMap(({ settings, run }) =>
      run.phase === "done" ? [{ question, settings, result: run.result }] : [],
    ),
  );
  return answers.findLast(({ settings }) => policy === undefined || settings.policy === policy);
}

/** Tokens of the prompt that these layers hold rows of: some layer has kept the newest, whatever earlier turns dropped. */
export function promptLength(layers: readonly LayerReport[]): number {
  return Math.max(0, ...layers.map(({ kept }) => (kept.at(-1) ?? -1) + 1));
}

/** One measure of every layer, as reported by the engine. */
interface LayerMeasure {
  readonly name: string;
  /** Written out, one per layer. */
  readonly values: readonly string[];
}

/** Measures per layer of an answer: rows kept, and the notes of its policy. */
export function layerMeasures({ layers, notes }: TurnResult): readonly LayerMeasure[] {
  const words = texts.about.measures;
  const noted = (name: "strength" | "skewness", decimals: number): readonly LayerMeasure[] => {
    const values = notes[name];
    if (typeof values !== "object" || values.length !== layers.length) return [];
    return [{ name: words[name], values: values.map((value) => value.toFixed(decimals)) }];
  };
  return [
    { name: words.kept, values: layers.map(({ rowsAfter }) => rowsAfter.toFixed(0)) },
    {
      name: words.share,
      values: layers.map(({ rowsBefore, rowsAfter }) => percent(rowsAfter / rowsBefore)),
    },
    ...noted("strength", 2),
    ...noted("skewness", 1),
  ];
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)}\u00a0%` : "–";
}
