import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";
import styles from "./Failure.module.css";
import { failureSentence, originalMessage } from "./failureWords";

type Action = NonNullable<EngineFailure["action"]>;

interface Props {
  readonly failure: EngineFailure;
  readonly onAct?: ((action: Action) => void) | undefined;
  /** Asks again under a cap of so many megabytes. */
  readonly onRaiseCap?: (capMb: number) => void;
  /** Present if rows of earlier images can be given up. */
  readonly onKeepLessOfEarlier?: (() => void) | undefined;
}

/** A failure in its place: one sentence, and what helps. */
export function Failure({ failure, onAct, onRaiseCap, onKeepLessOfEarlier }: Props) {
  const { action, neededMb } = failure;
  const words = texts.failures;
  const original = originalMessage(failure);
  return (
    <div className={styles.failure} role="alert">
      <p>{failureSentence(failure)}</p>
      {original && (
        <details className={styles.original}>
          <summary>{words.original}</summary>
          <p lang="en">{original}</p>
        </details>
      )}
      <span className={styles.actions}>
        {neededMb !== undefined && onRaiseCap && (
          <button type="button" onClick={() => onRaiseCap(neededMb)}>
            {words.raiseCap(neededMb)}
          </button>
        )}
        {onKeepLessOfEarlier && (
          <button type="button" onClick={onKeepLessOfEarlier}>
            {words.keepLessOfEarlier}
          </button>
        )}
        {action && onAct && (
          <button type="button" onClick={() => onAct(action)}>
            {words.actions[action]}
          </button>
        )}
      </span>
    </div>
  );
}
