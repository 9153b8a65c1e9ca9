import { texts } from "@/language/language";
import { CAP_LIMITS } from "@/store/settings/settings";
import { failureSentence } from "../shared/failureWords";
import { useApp, useChat, useSettings } from "../useApp";
import styles from "./Fields.module.css";
import { NumberField } from "./NumberField";

/** An upper bound of the KV cache over the whole conversation. */
export function CapControl() {
  const { settings } = useApp();
  const capMb = useSettings((state) => state.capMb);
  const refusal = useChat(({ conversation }) => {
    const run = conversation.exchanges
      .at(-1)
      ?.attempts.findLast(
        (attempt) => attempt.run.phase === "failed" && attempt.settings.capMb === capMb,
      )?.run;
    const isRefused = run?.phase === "failed" && run.failure.code === "capTooSmall";
    return isRefused ? failureSentence(run.failure) : undefined;
  });
  return (
    <div className={styles.cap}>
      <NumberField
        label={texts.cache.cap.name}
        unit="MB"
        help={texts.cache.cap.help}
        limits={CAP_LIMITS}
        value={capMb}
        empty={texts.cache.cap.off}
        problem={capMb === undefined ? undefined : refusal}
        onCommit={(value) => settings.choose({ capMb: value })}
      />
    </div>
  );
}
