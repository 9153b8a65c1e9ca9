import { texts } from "@/language/language";
import { type Attempt, type Exchange, standingAttempt } from "@/store/conversation/conversation";
import { type Run, textOf } from "@/store/conversation/run";
import { lanesReference } from "@/store/conversation/verdict";
import { agreementCounts } from "@/text/agreement";
import { formatBytes, formatMs } from "@/text/format";
import { ShareActions } from "../share/ShareActions";
import { Failure } from "../shared/Failure";
import { withAction } from "../shared/failureWords";
import { settingsDetails, settingsLabel } from "../shared/settingsWords";
import { useApp, useModel } from "../useApp";
import { AgainActions, AnswerActions } from "./Actions";
import answer from "./Answer.module.css";
import { ComparedText } from "./ComparedText";
import styles from "./Lanes.module.css";
import { StageLine } from "./StageLine";
import { useFailureAction, useRaiseCap } from "./useFailureAction";
import { cardOf, doubtWords } from "./VerdictLine";

interface Props {
  readonly exchange: Exchange;
  readonly lanes: readonly Attempt[];
}

/** The lanes of a comparison side by side, and what can be done with their question. */
export function LanesView({ exchange, lanes }: Props) {
  const { policies } = useApp();
  const { full, answer: reference } = lanesReference(lanes);
  const standing = standingAttempt(exchange);
  const isSettled = lanes.every(({ run }) => run.phase === "done" || run.phase === "failed");
  return (
    <div className={styles.comparison} data-live={!isSettled || undefined}>
      <div className={styles.lanes} data-count={lanes.length}>
        {lanes.map((attempt, index) => (
          <Lane
            key={attempt.id}
            isFirst={index === 0}
            attempt={attempt}
            reference={attempt === full ? undefined : reference}
            isReference={attempt === full}
          />
        ))}
      </div>
      <div className={styles.foot}>
        {isSettled && standing && lanes.includes(standing) && (
          <p className={answer.remark}>
            {texts.chat.lanes.continues(settingsLabel(policies, standing.settings))}
          </p>
        )}
        {isSettled && <Doubts lanes={lanes} />}
        {isSettled && (
          <div className={answer.actions}>
            <AgainActions exchange={exchange} />
            {standing && <ShareActions exchange={exchange} attempt={standing} />}
          </div>
        )}
      </div>
    </div>
  );
}

/** Why answers may be wrong, below all lanes: in a lane it would push the others. */
function Doubts({ lanes }: { readonly lanes: readonly Attempt[] }) {
  const { policies } = useApp();
  const card = useModel(cardOf);
  const labels = new Map<string, string[]>();
  for (const { run, settings } of lanes) {
    const words = run.phase === "done" ? doubtWords(run.result, card) : undefined;
    if (words === undefined) continue;
    labels.set(words, [...(labels.get(words) ?? []), settingsLabel(policies, settings)]);
  }
  return [...labels].map(([words, of]) => (
    <p key={words} className={answer.differs}>
      {of.length < lanes.length && <b>{texts.page.list(of)} </b>}
      {words}
    </p>
  ));
}

interface LaneProps {
  readonly attempt: Attempt;
  /** The answer of the full lane, or of the full cache beside the lanes, once there is one. */
  readonly reference: string | undefined;
  readonly isReference: boolean;
  readonly isFirst: boolean;
}

function Lane({ attempt, reference, isReference, isFirst }: LaneProps) {
  const { policies } = useApp();
  const { run, settings } = attempt;
  const label = settingsLabel(policies, settings);
  const details = settingsDetails(policies, settings);
  const text = textOf(run);
  const act = useFailureAction(attempt);
  const raiseCap = useRaiseCap(attempt);
  // With lanes below each other, one that has not begun would be pushed down by the others.
  const isWaiting = !isFirst && run.phase === "running" && run.tokens === 0;
  return (
    <section className={styles.lane} aria-label={label} data-waiting={isWaiting || undefined}>
      <h3>{label}</h3>
      {details.length > 0 && <p className={styles.verdict}>{texts.page.list(details)}</p>}
      <p className={styles.verdict}>
        {isReference ? texts.chat.lanes.reference : <Verdict run={run} reference={reference} />}
      </p>
      <article
        className={styles.text}
        data-phase={run.phase}
        aria-label={texts.chat.answer.nameOf(label)}
        dir="auto"
      >
        <span className={run.phase === "running" && run.tokens > 0 ? answer.caret : undefined}>
          <ComparedText attempt={attempt} reference={reference} />
        </span>
        {run.phase === "done" && text === "" && (
          <span className={answer.none}>
            {run.result.finish === "cancelled"
              ? texts.chat.answer.laneStopped
              : texts.chat.answer.laneEmpty}
          </span>
        )}
      </article>
      <div className={styles.laneFoot}>
        {(run.phase === "running" || run.phase === "queued") && <StageLine run={run} />}
        {run.phase === "failed" && (
          <Failure failure={withAction(run.failure)} onAct={act} onRaiseCap={raiseCap} />
        )}
        {run.phase === "done" && (
          <>
            <Cost result={run.result} />
            <div className={answer.actions}>
              <AnswerActions attempt={attempt} text={text} />
            </div>
          </>
        )}
      </div>
    </section>
  );
}

function Verdict({ run, reference }: { run: Run; reference: string | undefined }) {
  if (run.phase !== "done" || reference === undefined || run.result.finish === "cancelled") {
    return "\u00a0";
  }
  const { common, words } = agreementCounts(run.result.answer, reference);
  return (
    <span className={common === words ? answer.same : answer.differs}>
      {texts.chat.lanes.agree(common, words)}
    </span>
  );
}

/** Bytes as a bar against the full cache, and the two numbers. */
function Cost({ result }: { readonly result: Extract<Run, { phase: "done" }>["result"] }) {
  const { end, full } = result.kvBytes;
  const share = full > 0 ? Math.min(1, end / full) : 0;
  return (
    <>
      <div className={styles.bar} aria-hidden="true">
        <i style={{ width: `${100 * share}%` }} />
      </div>
      <p className={`num ${styles.numbers}`}>
        <span title={texts.chat.lanes.bytesHelp(formatBytes(full))}>{formatBytes(end)}</span>
        {result.tokenIds.length > 1 && (
          <span title={texts.chat.facts.perTokenHelp}>
            {texts.chat.facts.perToken(formatMs(result.ms.decodePerToken.median))}
          </span>
        )}
      </p>
    </>
  );
}
