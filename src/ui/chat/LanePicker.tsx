import { useEffect, useId, useRef } from "react";
import { useStore } from "zustand/react";
import { FEWEST_LANES, type LaneChoice, MOST_LANES } from "@/store/lanes";
import { FULL } from "@/store/settings";
import { useApp } from "../useApp";
import styles from "./Lanes.module.css";

/** The lanes of the next question: a policy and a keep each, and whether they stay. */
export function LanePicker() {
  const { lanes: choice } = useApp();
  const { lanes, isPinned } = useStore(choice.store);
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
          onClick={() => choice.add()}
        >
          + Lane
        </button>
        <label className={styles.pin}>
          <input
            type="checkbox"
            checked={isPinned}
            onChange={({ target }) => choice.pin(target.checked)}
          />
          Pin these lanes
        </label>
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
  const { lanes, policies } = useApp();
  const id = useId();
  const isFull = lane.policy === FULL;
  return (
    <li className={styles.choice}>
      <label htmlFor={`${id}-policy`} className="unseen">
        Policy of lane {number}
      </label>
      <select
        id={`${id}-policy`}
        value={lane.policy}
        onChange={({ target }) => lanes.change(lane.id, { policy: target.value })}
      >
        {policies.map((policy) => (
          <option key={policy.id} value={policy.id}>
            {policy.label}
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
          onChange={({ target }) => lanes.change(lane.id, { keepPercent: target.valueAsNumber })}
        />{" "}
        %
      </span>
      <button
        type="button"
        className={styles.small}
        aria-label={`Remove lane ${number}`}
        disabled={!isRemovable}
        onClick={() => lanes.remove(lane.id)}
      >
        Remove
      </button>
    </li>
  );
}
