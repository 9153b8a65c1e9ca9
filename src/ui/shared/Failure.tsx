import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/engine";
import styles from "./Failure.module.css";
import { failureSentence } from "./failureWords";

interface Props {
  readonly failure: EngineFailure;
  readonly onAct?: ((action: NonNullable<EngineFailure["action"]>) => void) | undefined;
}

/** A failure in its place: one sentence, one action. */
export function Failure({ failure, onAct }: Props) {
  const { action } = failure;
  return (
    <div className={styles.failure} role="alert">
      <p>{failureSentence(failure)}</p>
      {action && onAct && (
        <button type="button" className={styles.action} onClick={() => onAct(action)}>
          {texts.failures.actions[action]}
        </button>
      )}
    </div>
  );
}
