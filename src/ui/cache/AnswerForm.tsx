import { DEFAULT_SAMPLING } from "@/protocol/defaults";
import type { Sampling } from "@/protocol/engine";
import { SAMPLING_LIMITS } from "@/store/settings/settings";
import { samplingWords } from "../shared/settingsWords";
import { useApp, useSettings } from "../useApp";
import styles from "./Cache.module.css";
import { NumberField } from "./NumberField";

interface Field {
  readonly part: keyof typeof SAMPLING_LIMITS;
  readonly label: string;
  readonly help: string;
}

const FIELDS: readonly Field[] = [
  {
    part: "maxNewTokens",
    label: "Length limit, in tokens",
    help: "The answer ends there, even if it is not complete.",
  },
  {
    part: "temperature",
    label: "Temperature",
    help: "0 always takes the most likely token; higher values sample more broadly.",
  },
  {
    part: "topP",
    label: "Top-p",
    help: "Samples from the most likely tokens with this total probability; 1 means all.",
  },
  {
    part: "seed",
    label: "Seed",
    help: "The same seed samples the same tokens, and selects the same rows under Random.",
  },
];

/** Sampling, which does not concern the cache: closed by default. */
export function AnswerForm() {
  const { settings } = useApp();
  const sampling = useSettings((state) => state.sampling);
  const set = (change: Partial<Sampling>) =>
    settings.choose({ sampling: { ...sampling, ...change } });
  return (
    <details className={styles.options}>
      <summary>
        Answer <span className={styles.now}>{samplingWords(sampling).join(", ")}</span>
      </summary>
      <div className={styles.fields}>
        {FIELDS.map(({ part, label, help }) => (
          <NumberField
            key={part}
            label={label}
            help={help}
            limits={SAMPLING_LIMITS[part]}
            value={sampling[part]}
            onCommit={(value) => value !== undefined && set({ [part]: value })}
          />
        ))}
        <button
          type="button"
          className={styles.reset}
          onClick={() => settings.choose({ sampling: DEFAULT_SAMPLING })}
        >
          Back to the defaults
        </button>
      </div>
    </details>
  );
}
