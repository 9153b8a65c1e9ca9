import { completeOptions, isValid, type OptionInfo, type PolicyInfo } from "@/store/policyInfo";
import { useApp, useSettings } from "../useApp";
import styles from "./Cache.module.css";
import { Calibrate } from "./Calibrate";

/** The policy's own options, as its registry entry declares them. */
export function OptionsForm({ policy }: { readonly policy: PolicyInfo }) {
  const { settings } = useApp();
  const chosen = useSettings((state) => state.options[policy.id]);
  const names = Object.keys(policy.options);
  if (names.length === 0) return null;
  const values = completeOptions(policy, chosen);
  const deviation = policy.deviation?.(values);

  const set = (name: string, value: number | string) =>
    settings.setState(({ options }) => ({
      options: { ...options, [policy.id]: { ...options[policy.id], [name]: value } },
    }));

  return (
    <details className={styles.options}>
      <summary>Options</summary>
      <div className={styles.fields}>
        {names.map((name) => (
          <OptionField
            // A calibrated text replaces what stood in its field.
            key={policy.options[name]?.kind === "text" ? `${name} ${values[name]}` : name}
            id={`option-${name}`}
            option={policy.options[name]!}
            value={values[name]!}
            onChange={(value) => set(name, value)}
          />
        ))}
        {values.search === "config" && <Calibrate policy={policy} />}
        {deviation && (
          <p className={styles.hint}>This reading departs from the rules: {deviation}</p>
        )}
        <button
          type="button"
          className={styles.reset}
          onClick={() =>
            settings.setState(({ options }) => ({ options: { ...options, [policy.id]: {} } }))
          }
        >
          Back to the defaults
        </button>
      </div>
    </details>
  );
}

interface FieldProps {
  readonly id: string;
  readonly option: OptionInfo;
  readonly value: number | string;
  readonly onChange: (value: number | string) => void;
}

function OptionField({ id, option, value, onChange }: FieldProps) {
  const help = `${id}-help`;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{option.label}</label>
      {option.kind === "choice" ? (
        <div className={styles.small}>
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
      ) : option.kind === "text" ? (
        <input
          id={id}
          type="text"
          className="num"
          aria-describedby={help}
          pattern={option.pattern}
          defaultValue={value}
          onChange={({ target }) => {
            if (isValid(option, target.value)) onChange(target.value);
          }}
        />
      ) : (
        <input
          id={id}
          type="number"
          className="num"
          aria-describedby={help}
          min={option.min}
          max={option.max}
          step={option.integer ? 1 : "any"}
          defaultValue={value}
          onChange={({ target }) => {
            if (isValid(option, target.valueAsNumber)) onChange(target.valueAsNumber);
          }}
        />
      )}
      <p id={help} className={styles.help}>
        {option.help}
      </p>
    </div>
  );
}
