import { texts } from "@/language/language";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { Popup } from "../shared/Popup";
import { Segmented } from "../shared/Segmented";
import { samplingWords, settingsDetails } from "../shared/settingsWords";
import { useApp, useSettings } from "../useApp";
import { AnswerForm } from "./AnswerForm";
import pane from "./Cache.module.css";
import { CapControl } from "./CapControl";
import { EarlierControl } from "./EarlierControl";
import styles from "./MoreSettings.module.css";
import { OptionsForm } from "./OptionsForm";

const SCOPES = ["visual", "prompt"] as const;

/** Opens the settings that most questions leave as they are, and says which are changed. */
export function MoreSettings({ policy }: { readonly policy: PolicyInfo }) {
  const { more } = texts.cache;
  return (
    <div className={styles.more}>
      <Popup label={more.name} title={more.name} className={styles.moreButton} width={720}>
        {() => (
          <div className={styles.columns}>
            <div>
              <ScopeControl />
              <CapControl />
              <EarlierControl />
              <ReferenceSwitch />
              <AnswerForm />
            </div>
            <OptionsForm key={policy.id} policy={policy} />
          </div>
        )}
      </Popup>
      <span className={styles.now}>
        <Changed />
      </span>
    </div>
  );
}

/** What differs from the defaults. */
function Changed() {
  const { policies, next } = useApp();
  const { sampling, comparesWithFull } = useSettings((state) => state);
  const { cache } = texts;
  const settings = next();
  const words = [
    ...(settings.capMb === undefined ? [] : [cache.more.cap(settings.capMb)]),
    ...settingsDetails(policies, settings),
    ...samplingWords(sampling),
    ...(comparesWithFull ? [] : [cache.more.notCompared]),
  ];
  return words.length === 0 ? cache.more.unchanged : texts.page.list(words);
}

function ScopeControl() {
  const { settings } = useApp();
  const scope = useSettings((state) => state.scope);
  return (
    <div className={pane.line}>
      <span className={pane.name}>{texts.cache.scope}</span>
      <Segmented
        label={texts.cache.scope}
        value={scope}
        choices={SCOPES.map((value) => ({ value, label: texts.cache[value] }))}
        onChange={(value) => settings.choose({ scope: value })}
      />
    </div>
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
