import type { ModelInfo } from "@/protocol/model";
import type { CacheSettings, Turn } from "@/protocol/request";
import type { LaneOutcome, TurnResult } from "@/protocol/result";
import { agreement } from "@/text/agreement";
import type { OpenedEngine } from "../shared/engine";
import type { AskCommand } from "./command";

/** What `--json` writes. */
export interface AskDocument {
  readonly adapter: ModelInfo["adapter"];
  readonly elementType: string;
  readonly kvType: string;
  readonly versions: ModelInfo["versions"];
  readonly turns: readonly (TurnResult &
    Pick<AskDocument, "adapter" | "elementType" | "kvType" | "versions">)[];
  /** With `--compare`: the last prompt's lanes. */
  readonly lanes?: readonly Lane[];
}

/** A lane's answer or its failure. */
export type Lane = CacheSettings &
  LaneOutcome & {
    /** Share of words in common with the lane of policy `full`, if it has an answer. */
    readonly agreement?: number;
  };

/** Asks the turns in sequence. `onToken` receives the text of each token. */
export async function askAll(
  page: OpenedEngine,
  command: AskCommand,
  onToken: (text: string) => void,
): Promise<AskDocument> {
  const model = await page.load({
    ...command.types,
    ...(command.chunkRows === undefined ? {} : { chunkRows: command.chunkRows }),
    ...(command.memoryMb === undefined ? {} : { memoryMb: command.memoryMb }),
  });
  const { adapter, elementType, kvType, versions } = model;
  const environment = { adapter, elementType, kvType, versions };
  const { settings, sampling, lanes, together } = command;
  const frames = command.frames ? { frames: command.frames } : {};
  const asked: Turn[] = [];
  const results: TurnResult[] = [];
  const single = lanes.length > 0 ? command.turns.slice(0, -1) : command.turns;
  for (const turn of single) {
    const result = await page.ask(
      { turns: [...asked, turn], ...frames, settings, sampling },
      onToken,
    );
    onToken("\n");
    results.push(result);
    asked.push({ ...turn, answerIds: result.tokenIds });
  }
  const turns = results.map((turn) => ({ ...turn, ...environment }));
  if (lanes.length === 0) return { ...environment, turns };
  const outcomes = await page.compare({
    turns: command.turns.map((t, i) => asked[i] ?? t),
    ...frames,
    sampling,
    lanes,
    ...(together && { together }),
  });
  return { ...environment, turns, lanes: withAgreement(lanes, outcomes) };
}

function withAgreement(
  lanes: readonly CacheSettings[],
  outcomes: readonly LaneOutcome[],
): readonly Lane[] {
  const reference = outcomes[lanes.findIndex(({ policy }) => policy === "full")]?.result?.answer;
  return outcomes.map((outcome, index) => {
    const answer = outcome.result?.answer;
    const known = answer !== undefined && reference !== undefined;
    const share = known ? { agreement: agreement(answer, reference) } : {};
    return { ...(lanes[index] as CacheSettings), ...outcome, ...share };
  });
}

/** A lane for a terminal: its bytes and speed, and the answer or why there is none. */
export function describeLane({
  policy,
  retention,
  result,
  failure,
  agreement: share,
}: Lane): string {
  const name = `${policy} ${retention}`;
  if (!result) return `${name}: ${failure.message}\n`;
  const { kvBytes, ms, answer, notices } = result;
  const agrees = share === undefined ? "" : `, agreement ${(share * 100).toFixed(0)} %`;
  const mb = (kvBytes.end / 1e6).toFixed(2);
  const isTogether = notices.some(
    (notice) => typeof notice !== "string" && notice.code === "decodedTogether",
  );
  const step = isTogether ? "step of all lanes" : "token";
  const facts = `${mb} MB, ${ms.decodePerToken.median.toFixed(0)} ms per ${step}${agrees}`;
  return `${name} (${facts})\n${answer}\n\n`;
}
