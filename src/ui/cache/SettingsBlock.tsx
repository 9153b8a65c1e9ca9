import { texts } from "@/language/language";
import { FULL } from "@/store/settings/settings";
import { Segmented } from "../shared/Segmented";
import { useApp, useSettings } from "../useApp";
import { AnswerForm } from "./AnswerForm";
import styles from "./Cache.module.css";
import { CapControl } from "./CapControl";
import { EarlierControl } from "./EarlierControl";
import { KeepControl } from "./KeepControl";
import { OptionsForm } from "./OptionsForm";

const SCOPES = ["visual", "prompt"] as const;

/** Settings of the next question. They change no existing answer. */
export function SettingsBlock() {
  const { policies, settings } = useApp();
  const id = useSettings((state) => state.policy);
  const scope = useSettings((state) => state.scope);
  const policy = policies.find((each) => each.id === id) ?? policies[0];
  if (!policy) return null;
  const isFull = policy.id === FULL;
  return (
    <section className={styles.block}>
      <h2>
        <label htmlFor="policy">{texts.cache.policy}</label>
      </h2>
      <div className={styles.select}>
        <select
          id="policy"
          value={policy.id}
          onChange={({ target }) => settings.choose({ policy: target.value })}
        >
          {policies.map(({ id: value, label }) => (
            <option key={value} value={value}>
              {texts.policy(label)}
            </option>
          ))}
        </select>
      </div>
      <p className={styles.hint}>
        {texts.policy(policy.summary)}{" "}
        {policy.paper && (
          <a href={policy.paper.url} target="_blank" rel="noreferrer" title={policy.paper.title}>
            {policy.paper.venue}
          </a>
        )}
      </p>
      <KeepControl isFull={isFull} scope={scope} />
      <div className={styles.line}>
        <span className={styles.name}>{texts.cache.scope}</span>
        <Segmented
          label={texts.cache.scope}
          value={scope}
          choices={SCOPES.map((value) => ({ value, label: texts.cache[value] }))}
          onChange={(value) => settings.choose({ scope: value })}
        />
      </div>
      <CapControl />
      <EarlierControl />
      <ReferenceSwitch />
      <OptionsForm key={policy.id} policy={policy} />
      <AnswerForm />
    </section>
  );
}

/** Whether the full cache answers after every compressed answer. */
function ReferenceSwitch() {
  const { settings } = useApp();
  const isOn = useSettings((state) => state.comparesWithFull);
  const words = texts.cache.reference;
  return (
    <label className={styles.switch} title={words.help}>
      <input
        type="checkbox"
        checked={isOn}
        onChange={({ target }) => settings.choose({ comparesWithFull: target.checked })}
      />
      {words.name}
    </label>
  );
}
