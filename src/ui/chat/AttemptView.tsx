import { texts } from "@/language/language";
import type { Attempt, Exchange } from "@/store/conversation/conversation";
import { textOf } from "@/store/conversation/run";
import { ShareActions } from "../share/ShareActions";
import { Failure } from "../shared/Failure";
import { withAction } from "../shared/failureWords";
import { settingsLabel } from "../shared/settingsWords";
import { useApp } from "../useApp";
import { AgainActions, AnswerActions } from "./Actions";
import styles from "./Answer.module.css";
import { ComparedText } from "./ComparedText";
import { Facts } from "./Facts";
import { StageLine } from "./StageLine";
import { useFailureAction, useKeepLessOfEarlier, useRaiseCap } from "./useFailureAction";
import { DoubtLine, useVerdict, VerdictLine } from "./VerdictLine";

interface Props {
  readonly exchange: Exchange;
  readonly attempt: Attempt;
}

/** One answer: its words, then one line with its progress or its measurements. */
export function AttemptView({ exchange, attempt }: Props) {
  const { policies } = useApp();
  const { run, settings, hidden } = attempt;
  const verdict = useVerdict(exchange, attempt);
  const text = textOf(run);
  const act = useFailureAction(attempt);
  const raiseCap = useRaiseCap(attempt);
  const keepLessOfEarlier = useKeepLessOfEarlier(exchange, attempt);
  const isLive = run.phase === "running" || run.phase === "queued";
  return (
    <div className={styles.attempt} data-live={isLive || undefined}>
      <article
        className={styles.answer}
        data-phase={run.phase}
        aria-label={texts.chat.answer.name}
        dir="auto"
      >
        <span className={run.phase === "running" ? styles.caret : undefined}>
          <ComparedText
            attempt={attempt}
            reference={verdict?.kind === "differs" ? verdict.reference : undefined}
          />
        </span>
        {run.phase === "done" && text === "" && (
          <span className={styles.none}>{texts.chat.answer.empty}</span>
        )}
      </article>
      <div className={styles.foot}>
        {isLive && <StageLine run={run} label={settingsLabel(policies, settings)} />}
        {/* There before its words, so that screen readers read them out after the answer. */}
        <div aria-live="polite">
          {verdict && <VerdictLine verdict={verdict} attempt={attempt} />}
          {run.phase === "done" && (
            <>
              {hidden && !verdict && run.result.finish !== "cancelled" && (
                <p title={texts.chat.verdict.askToCompareHelp}>{texts.chat.verdict.askToCompare}</p>
              )}
              <DoubtLine result={run.result} />
            </>
          )}
        </div>
        {run.phase === "done" && (
          <>
            <Facts
              settings={settings}
              sampling={run.origin?.sampling}
              result={run.result}
              hidden={hidden}
            />
            <div className={styles.actions}>
              <AgainActions exchange={exchange} />
              <AnswerActions attempt={attempt} text={text} />
              <ShareActions exchange={exchange} attempt={attempt} />
            </div>
          </>
        )}
        {run.phase === "failed" && (
          <Failure
            failure={withAction(run.failure)}
            onAct={act}
            onRaiseCap={raiseCap}
            onKeepLessOfEarlier={keepLessOfEarlier}
          />
        )}
      </div>
    </div>
  );
}
