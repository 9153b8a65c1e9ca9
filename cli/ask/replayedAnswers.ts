import type { AskRequest, CompareRequest, Sampling } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import type { AttemptRecord } from "@/store/library/records";
import type { OpenedEngine } from "../shared/engine";
import type { ReplayCall } from "./replayPlan";

/** An answer of an exported conversation, and what the engine answers now. */
export interface ReplayedAnswer {
  readonly question: string;
  readonly policy: string;
  readonly retention: number;
  readonly isLane: boolean;
  readonly sameText: boolean;
  readonly sameIds: boolean;
  /**
   * Whether it was appended to the previous answer's cache, in the recording and in the replay;
   * absent for lanes.
   */
  readonly appended?: { readonly recorded: boolean; readonly replayed: boolean };
  readonly recorded: Pick<TurnResult, "answer" | "tokenIds">;
  readonly replayed?: Pick<TurnResult, "answer" | "tokenIds">;
  /** Why the replay has no answer. */
  readonly failure?: string;
}

/** Runs the calls one after the other. */
export async function replayAll(
  page: Pick<OpenedEngine, "ask" | "compare">,
  calls: readonly ReplayCall[],
  onAnswer: (answer: ReplayedAnswer) => void,
): Promise<readonly ReplayedAnswer[]> {
  const answers: ReplayedAnswer[] = [];
  for (const call of calls) {
    for (const answer of await replayOne(page, call)) {
      answers.push(answer);
      onAnswer(answer);
    }
  }
  return answers;
}

async function replayOne(
  page: Pick<OpenedEngine, "ask" | "compare">,
  call: ReplayCall,
): Promise<readonly ReplayedAnswer[]> {
  const outcomes = await (call.attempts.length > 1 ? compare(page, call) : ask(page, call));
  return call.attempts.flatMap((attempt, index) => {
    if (attempt.run.phase !== "done") return [];
    const outcome = outcomes[index] ?? { failure: "It was not answered." };
    return [judge(call, attempt, attempt.run.result, outcome)];
  });
}

type Outcome = { readonly result: TurnResult } | { readonly failure: string };

async function ask(page: Pick<OpenedEngine, "ask">, call: ReplayCall): Promise<readonly Outcome[]> {
  const [{ settings, run }] = call.attempts as readonly [AttemptRecord];
  if (run.phase !== "done") return [];
  const recorded = run.result;
  const request: Omit<AskRequest, "images"> = {
    turns: call.turns,
    ...(call.frames && { frames: call.frames }),
    settings,
    sampling: sampled(call.sampling, recorded),
    ...(recorded.appended ? {} : { fresh: true }),
  };
  return [await page.ask(request).then((result) => ({ result }), failed)];
}

async function compare(
  page: Pick<OpenedEngine, "compare">,
  call: ReplayCall,
): Promise<readonly Outcome[]> {
  const lanes = call.attempts.map(({ settings }) => settings);
  const request: Omit<CompareRequest, "images"> = {
    turns: call.turns,
    ...(call.frames && { frames: call.frames }),
    sampling: call.sampling,
    lanes,
  };
  try {
    return (await page.compare(request)).map(({ result, failure }) =>
      result ? { result } : { failure: failure.message },
    );
  } catch (error) {
    return lanes.map(() => failed(error));
  }
}

/** Without WebGPU nothing can be replayed; any other failure concerns one answer. */
function failed(error: unknown): Outcome {
  if (!(error instanceof Error) || (error as { exitCode?: number }).exitCode === 3) throw error;
  return { failure: error.message };
}

/** A stopped answer is replayed up to its recorded length. */
function sampled(sampling: Sampling, { finish, tokenIds }: TurnResult): Sampling {
  if (finish !== "cancelled") return sampling;
  return { ...sampling, maxNewTokens: Math.min(sampling.maxNewTokens, tokenIds.length) };
}

function judge(
  { question, attempts }: ReplayCall,
  { settings }: AttemptRecord,
  recorded: TurnResult,
  outcome: Outcome,
): ReplayedAnswer {
  const { policy, retention } = settings;
  const asked = { question, policy, retention, isLane: attempts.length > 1 };
  const before = { recorded: { answer: recorded.answer, tokenIds: recorded.tokenIds } };
  if ("failure" in outcome) {
    return { ...asked, ...before, sameText: false, sameIds: false, failure: outcome.failure };
  }
  const { answer, tokenIds, appended } = outcome.result;
  // A stopped lane is replayed to its end; its recorded text must be a prefix.
  const isCut = recorded.finish === "cancelled";
  const ids = isCut ? tokenIds.slice(0, recorded.tokenIds.length) : tokenIds;
  return {
    ...asked,
    ...before,
    sameText: isCut ? answer.startsWith(recorded.answer) : answer === recorded.answer,
    sameIds:
      ids.length === recorded.tokenIds.length && ids.every((id, i) => id === recorded.tokenIds[i]),
    ...(asked.isLane ? {} : { appended: { recorded: recorded.appended, replayed: appended } }),
    replayed: { answer, tokenIds },
  };
}

/** The report for a terminal. */
export function describe(answer: ReplayedAnswer): string {
  const { question, policy, retention, sameText, sameIds, failure, recorded, replayed, appended } =
    answer;
  const head = `${question}  (${policy} ${retention}${answer.isLane ? ", lane" : ""})\n`;
  if (failure !== undefined) return `${head}  failed: ${failure}\n`;
  if (sameText && sameIds) return `${head}  same text, same ids\n`;
  const cache =
    appended && appended.recorded !== appended.replayed
      ? `  appended to the cache in the recording, not in the replay\n`
      : "";
  const texts = sameText
    ? "  same text, different ids\n"
    : `  then: ${recorded.answer}\n  now:  ${replayed?.answer}\n`;
  return `${head}${texts}${cache}`;
}
