import { useEffect, useId, useRef, useState } from "react";
import { useStore } from "zustand/react";
import { FEWEST_LANES, type LaneChoice, MOST_LANES } from "@/store/chat/comparisonSetup";
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
  // A short window scrolls to the whole composer, its button included.
  useEffect(() => {
    fields.current?.form?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <fieldset ref={fields} className={styles.picker}>
      <legend className="unseen">Lanes to compare</legend>
      <ul className={styles.choices}>
        {lanes.map((lane, index) => (
          <Choice
            key={lane.id}
            lane={lane}
            number={index + 1}
            isRemovable={lanes.length > FEWEST_LANES}
          />
        ))}
      </ul>
      <div className={styles.pickerFoot}>
        <button
          type="button"
          className={styles.small}
          disabled={lanes.length >= MOST_LANES}
          onClick={() => comparison.add()}
        >
          + Lane
        </button>
        <p className={styles.after} aria-live="polite">
          {pinned > 0 && pinned < lanes.length
            ? "Pinned lanes are kept for the next question; the others return to the defaults."
            : pinned > 0 && "These lanes are kept for the next question."}
        </p>
      </div>
    </fieldset>
  );
}

interface Props {
  readonly lane: LaneChoice;
  readonly number: number;
  readonly isRemovable: boolean;
}

function Choice({ lane, number, isRemovable }: Props) {
  const { comparison, policies } = useApp();
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const policy = policies.find((each) => each.id === lane.policy);
  const isFull = lane.policy === FULL;
  const hasOptions = policy !== undefined && Object.keys(policy.options).length > 0;
  return (
    <li>
      <div className={styles.choice}>
        <label htmlFor={`${id}-policy`} className="unseen">
          Policy of lane {number}
        </label>
        <select
          id={`${id}-policy`}
          value={lane.policy}
          onChange={({ target }) => comparison.change(lane.id, { policy: target.value })}
        >
          {policies.map((each) => (
            <option key={each.id} value={each.id}>
              {each.label}
            </option>
          ))}
        </select>
        <span className="num" data-off={isFull}>
          <input
            type="number"
            aria-label={`Keep percent of lane ${number}`}
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
            aria-label={`Options of lane ${number}`}
            aria-expanded={hasOptions && isOpen}
            aria-controls={`${id}-options`}
            disabled={!hasOptions}
            onClick={() => setOpen(!isOpen)}
          >
            {lane.options ? "Own options" : "Options"}
          </button>
          <label className={styles.pin}>
            <input
              type="checkbox"
              aria-label={`Pin lane ${number}`}
              checked={lane.isPinned}
              onChange={({ target }) => comparison.change(lane.id, { isPinned: target.checked })}
            />
            Pin
          </label>
          <button
            type="button"
            className={styles.small}
            aria-label={`Remove lane ${number}`}
            disabled={!isRemovable}
            onClick={() => comparison.remove(lane.id)}
          >
            Remove
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
          Back to the options of the Cache zone
        </button>
      ) : (
        <p className={styles.source}>As in the Cache zone; a change here is for this lane alone.</p>
      )}
    </OptionFields>
  );
}
