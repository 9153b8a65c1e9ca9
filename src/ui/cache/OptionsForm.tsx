import { type ReactNode, useId } from "react";
import type { OptionSpec, OptionValues } from "@/compression/options";
import { texts } from "@/language/language";
import { completeOptions, type PolicyInfo } from "@/store/settings/policyInfo";
import { useApp, useSettings } from "../useApp";
import pane from "./Cache.module.css";
import { Calibrate } from "./Calibrate";
import styles from "./Fields.module.css";
import { NumberField } from "./NumberField";
import { TextField } from "./TextField";

/** The policy's own options. */
export function OptionsForm({ policy }: { readonly policy: PolicyInfo }) {
  const { settings } = useApp();
  const chosen = useSettings((state) => state.options[policy.id]);
  if (Object.keys(policy.options).length === 0) return null;
  const change = (values: OptionValues) => settings.chooseOptions(policy.id, values);
  return (
    <section className={styles.options}>
      <h3>{texts.cache.optionsOf(texts.policy(policy.label))}</h3>
      <OptionFields policy={policy} chosen={chosen} onChange={change}>
        {completeOptions(policy, chosen).search === "config" && <Calibrate policy={policy} />}
        <button type="button" className={styles.reset} onClick={() => change({})}>
          {texts.cache.defaults}
        </button>
      </OptionFields>
    </section>
  );
}

interface Props {
  readonly policy: PolicyInfo;
  /** What differs from the defaults. */
  readonly chosen: OptionValues | undefined;
  readonly onChange: (chosen: OptionValues) => void;
  /** Shown below the fields. */
  readonly children?: ReactNode;
}

/** A field for each option that the policy's registry entry declares. */
export function OptionFields({ policy, chosen, onChange, children }: Props) {
  const id = useId();
  const values = completeOptions(policy, chosen);
  const deviation = policy.deviation?.(values);
  return (
    <div className={styles.fields}>
      {Object.entries(policy.options).map(([name, option]) => (
        <OptionField
          key={name}
          id={`${id}-${name}`}
          option={option}
          value={values[name]!}
          onChange={(value) => onChange({ ...chosen, [name]: value })}
        />
      ))}
      {deviation && <p className={pane.hint}>{texts.cache.deviation(texts.policy(deviation))}</p>}
      {children}
    </div>
  );
}

interface FieldProps {
  readonly id: string;
  readonly option: OptionSpec;
  readonly value: number | string;
  readonly onChange: (value: number | string) => void;
}

function OptionField({ id, option, value, onChange }: FieldProps) {
  if (option.kind === "number") {
    return (
      <NumberField
        label={texts.policy(option.label)}
        help={texts.policy(option.help)}
        limits={option}
        value={Number(value)}
        onCommit={(number) => number !== undefined && onChange(number)}
      />
    );
  }
  if (option.kind === "text") {
    return <TextField option={option} value={String(value)} onCommit={onChange} />;
  }
  const help = `${id}-help`;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{texts.policy(option.label)}</label>
      <div className={pane.small}>
        <select
          id={id}
          aria-describedby={help}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        >
          {option.values.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      </div>
      <p id={help} className={styles.help}>
        {texts.policy(option.help)}
      </p>
    </div>
  );
}
