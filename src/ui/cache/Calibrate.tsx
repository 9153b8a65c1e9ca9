import { useStore } from "zustand";
import { texts } from "@/language/language";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { failureSentence } from "../shared/failureWords";
import { useApp } from "../useApp";
import styles from "./Fields.module.css";

/** Fills PrefixKV's forget fractions with the mean of its exact search over the sample pages. */
export function Calibrate({ policy }: { readonly policy: PolicyInfo }) {
  const { calibration, settings, next } = useApp();
  const state = useStore(calibration.store);

  const calibrate = async () => {
    const current = next();
    const exact = { ...current, options: { ...current.options, search: "exact", forget: "" } };
    const shares = await calibration.run(exact);
    if (!shares) return;
    const chosen = settings.getState().options[policy.id];
    settings.chooseOptions(policy.id, { ...chosen, search: "config", forget: shares.join(",") });
  };

  return (
    <div className={styles.field}>
      <button
        type="button"
        className={styles.reset}
        disabled={state.phase === "running"}
        onClick={() => void calibrate()}
      >
        {state.phase === "running"
          ? texts.cache.calibrating(state.done + 1, state.total)
          : texts.cache.calibrate}
      </button>
      <p className={styles.help} role="status">
        {state.phase === "failed" && failureSentence(state.failure)}
      </p>
    </div>
  );
}
