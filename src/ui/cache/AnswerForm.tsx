import { texts } from "@/language/language";
import { DEFAULT_SAMPLING } from "@/protocol/defaults";
import type { Sampling } from "@/protocol/request";
import { SAMPLING_LIMITS } from "@/store/settings/settings";
import { useApp, useSettings } from "../useApp";
import styles from "./Fields.module.css";
import { NumberField } from "./NumberField";

const PARTS = Object.keys(SAMPLING_LIMITS) as readonly (keyof typeof SAMPLING_LIMITS)[];

/** Sampling, which does not concern the cache. */
export function AnswerForm() {
  const { settings } = useApp();
  const sampling = useSettings((state) => state.sampling);
  const words = texts.cache.answer;
  const set = (change: Partial<Sampling>) =>
    settings.choose({ sampling: { ...sampling, ...change } });
  return (
    <section className={styles.options}>
      <h3>{words.name}</h3>
      <div className={styles.fields}>
        {PARTS.map((part) => (
          <NumberField
            key={part}
            label={words[part].label}
            help={words[part].help}
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
          {texts.cache.defaults}
        </button>
      </div>
    </section>
  );
}
