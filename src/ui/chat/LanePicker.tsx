import { useEffect, useId, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { texts } from "@/language/language";
import { FEWEST_CHOICES, type LaneChoice, MOST_CHOICES } from "@/store/chat/comparisonSetup";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { FULL } from "@/store/settings/settings";
import { OptionFields } from "../cache/OptionsForm";
import { useApp, useSettings } from "../useApp";
import styles from "./Lanes.module.css";

/** The lanes of the next question: a policy with its keep and options each, and whether it stays. */
export function LanePicker() {
  const { comparison } = useApp();
  const lanes = useStore(comparison.store, (state) => state.lanes);
  const pinned = lanes.filter(({ isPinned }) => isPinned).length;
  const fields = useRef<HTMLFieldSetElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  // A short window scrolls to the whole composer, its button included.
  useEffect(() => {
    fields.current?.form?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <fieldset ref={fields} className={styles.picker}>
      <legend className="unseen">{texts.chat.lanes.legend}</legend>
      <ul>
        {lanes.map((lane, index) => (
          <Choice
            key={lane.id}
            lane={lane}
            number={index + 1}
            isRemovable={lanes.length > FEWEST_CHOICES}
            // After the button is enabled: that of the lane is gone with it.
            onRemoved={() => requestAnimationFrame(() => add.current?.focus())}
          />
        ))}
      </ul>
      <div className={styles.pickerFoot}>
        <button
          ref={add}
          type="button"
          className={styles.small}
          disabled={lanes.length >= MOST_CHOICES}
          onClick={() => comparison.add()}
        >
          {texts.chat.lanes.add}
        </button>
        <p className={styles.after} aria-live="polite">
          {pinned > 0 && pinned < lanes.length
            ? texts.chat.lanes.somePinned
            : pinned > 0 && texts.chat.lanes.allPinned}
        </p>
      </div>
    </fieldset>
  );
}

interface Props {
  readonly lane: LaneChoice;
  readonly number: number;
  readonly isRemovable: boolean;
  readonly onRemoved: () => void;
}

function Choice({ lane, number, isRemovable, onRemoved }: Props) {
  const { comparison, policies } = useApp();
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const words = texts.chat.lanes;
  const policy = policies.find((each) => each.id === lane.policy);
  const isFull = lane.policy === FULL;
  const hasOptions = policy !== undefined && Object.keys(policy.options).length > 0;
  return (
    <li>
      <div className={styles.choice}>
        <label htmlFor={`${id}-policy`} className="unseen">
          {words.policyOf(number)}
        </label>
        <select
          id={`${id}-policy`}
          value={lane.policy}
          onChange={({ target }) => comparison.change(lane.id, { policy: target.value })}
        >
          {policies.map((each) => (
            <option key={each.id} value={each.id}>
              {texts.policy(each.label)}
            </option>
          ))}
        </select>
        <span className="num" data-off={isFull}>
          <input
            type="number"
            aria-label={words.keepOf(number)}
            min={1}
            max={100}
            disabled={isFull}
            value={isFull ? 100 : Number.isNaN(lane.keepPercent) ? "" : lane.keepPercent}
            onChange={({ target }) =>
              comparison.change(lane.id, { keepPercent: target.valueAsNumber })
            }
          />{" "}
          %
        </span>
        <span className={styles.deeds}>
          <button
            type="button"
            className={styles.small}
            aria-label={words.optionsOf(number)}
            aria-expanded={hasOptions && isOpen}
            aria-controls={`${id}-options`}
            disabled={!hasOptions}
            onClick={() => setOpen(!isOpen)}
          >
            {lane.options ? words.ownOptions : words.options}
          </button>
          <label className={styles.pin}>
            <input
              type="checkbox"
              aria-label={words.pinOf(number)}
              checked={lane.isPinned}
              onChange={({ target }) => comparison.change(lane.id, { isPinned: target.checked })}
            />
            {words.pin}
          </label>
          <button
            type="button"
            className={styles.small}
            aria-label={words.removeOf(number)}
            disabled={!isRemovable}
            onClick={() => {
              comparison.remove(lane.id);
              onRemoved();
            }}
          >
            {words.remove}
          </button>
        </span>
      </div>
      <div id={`${id}-options`} className={styles.laneOptions} hidden={!hasOptions || !isOpen}>
        {hasOptions && isOpen && <LaneOptions key={policy.id} lane={lane} policy={policy} />}
      </div>
    </li>
  );
}

interface OptionsProps {
  readonly lane: LaneChoice;
  readonly policy: PolicyInfo;
}

/** Begins with the settings' options for the policy; a change makes them the lane's own. */
function LaneOptions({ lane, policy }: OptionsProps) {
  const { comparison } = useApp();
  const common = useSettings((state) => state.options[policy.id]);
  return (
    <OptionFields
      policy={policy}
      chosen={lane.options ?? common}
      onChange={(options) => comparison.change(lane.id, { options })}
    >
      {lane.options ? (
        <button
          type="button"
          className={styles.back}
          onClick={() => comparison.change(lane.id, { options: undefined })}
        >
          {texts.chat.lanes.commonOptions}
        </button>
      ) : (
        <p className={styles.source}>{texts.chat.lanes.optionsSource}</p>
      )}
    </OptionFields>
  );
}
