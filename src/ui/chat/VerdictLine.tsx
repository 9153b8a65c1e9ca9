import { texts } from "@/language/language";
import type { ModelCard } from "@/protocol/model";
import type { RecordedNotice } from "@/protocol/notice";
import type { TurnResult } from "@/protocol/result";
import { confidenceOf } from "@/store/conversation/confidence";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { textOf } from "@/store/conversation/run";
import { type Verdict, verdictOf } from "@/store/conversation/verdict";
import type { ModelState } from "@/store/engine/model";
import { changesBetween } from "@/text/agreement";
import { formatRetention } from "@/text/format";
import { noticeSentences } from "../shared/noticeSentences";
import { useChat, useModel } from "../useApp";
import styles from "./Answer.module.css";

/** Number of changed places that are quoted. */
const QUOTED = 3;

/** The verdict of an attempt, as long as it is of interest. */
export function useVerdict(exchange: Exchange, attempt: Attempt): Verdict | undefined {
  const isRunning = useChat((state) => state.running === attempt.id);
  return verdictOf(exchange, attempt, isRunning);
}

interface Props {
  readonly verdict: Verdict;
  readonly attempt: Attempt;
}

/** Whether an answer is the full cache's, or which words changed. */
export function VerdictLine({ verdict, attempt }: Props) {
  const words = texts.chat.verdict;
  const isHidden = attempt.hidden !== undefined;
  switch (verdict.kind) {
    case "same":
      return <p className={styles.same}>{words.same(isHidden)}</p>;
    case "differs": {
      const changes = changesBetween(textOf(attempt.run), verdict.reference);
      const quoted = changes.slice(0, QUOTED);
      return (
        <p className={styles.differs}>
          {words.differs(isHidden)} <span dir="auto">{words.changes(quoted)}</span>
          {changes.length > QUOTED && ` ${words.more(changes.length - QUOTED)}`}
        </p>
      );
    }
    case "pending":
      return <p className={styles.remark}>{words.pending}</p>;
    case "missing":
      return <p className={styles.remark}>{words.missing[verdict.why]}</p>;
    default:
      return verdict satisfies never;
  }
}

/** Notices that make an answer doubtful; the first that an answer has is shown. */
const DOUBTS = ["blankImage", "unfamiliarImage"] as const;

/** The notice that `DoubtLine` shows. */
export function doubtOf({ notices }: TurnResult): RecordedNotice | undefined {
  const all = DOUBTS.map((code) =>
    notices.find((notice) => typeof notice !== "string" && notice.code === code),
  );
  return all.find((notice) => notice !== undefined);
}

/** Why an answer may be wrong: its image is blank or unfamiliar, or the model is unsure of it. */
export function DoubtLine({ result }: { readonly result: TurnResult }) {
  const words = doubtWords(result, useModel(cardOf));
  return words === undefined ? null : <p className={styles.differs}>{words}</p>;
}

export function cardOf(model: ModelState): ModelCard | undefined {
  return model.phase === "ready" ? model.info.card : undefined;
}

/** The sentence of `DoubtLine`; undefined if there is no doubt. */
export function doubtWords(result: TurnResult, card: ModelCard | undefined): string | undefined {
  const doubt = doubtOf(result);
  if (doubt) return noticeSentences([doubt])[0];
  const confidence = confidenceOf(result, card);
  if (!confidence?.isUnsure) return undefined;
  const { probability, threshold } = confidence;
  return texts.chat.verdict.unsure(formatRetention(probability), formatRetention(threshold));
}
