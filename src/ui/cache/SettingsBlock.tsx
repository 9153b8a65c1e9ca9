import { texts } from "@/language/language";
import { FULL } from "@/store/settings/settings";
import { useApp, useSettings } from "../useApp";
import styles from "./Cache.module.css";
import { KeepControl } from "./KeepControl";
import { MoreSettings } from "./MoreSettings";

/** Settings of the next question. They change no existing answer. */
export function SettingsBlock() {
  const { policies, settings } = useApp();
  const id = useSettings((state) => state.policy);
  const scope = useSettings((state) => state.scope);
  const policy = policies.find((each) => each.id === id) ?? policies[0];
  if (!policy) return null;
  return (
    <section className={styles.block}>
      <div className={styles.policy}>
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
      </div>
      <p className={styles.hint}>
        {texts.policy(policy.summary)}{" "}
        {policy.paper && (
          <a href={policy.paper.url} target="_blank" rel="noreferrer" title={policy.paper.title}>
            {policy.paper.venue}
          </a>
        )}
      </p>
      <KeepControl isFull={policy.id === FULL} scope={scope} />
      <MoreSettings policy={policy} />
    </section>
  );
}
