import { texts } from "@/language/language";
import type { ModelsState } from "@/store/models/models";
import { formatMegabytes } from "@/text/format";
import { useApp, useModels } from "../useApp";
import styles from "./Models.module.css";

/** The embedded model and those that are stored in this browser. */
export function StoredList() {
  const { models } = useApp();
  const { stored, inUse, phase } = useModels((state) => state);
  const words = texts.models;
  return (
    <ul className={styles.stored}>
      <li>
        <b>{words.embedded}</b>
        <span>{words.embeddedFacts}</span>
        {inUse === undefined ? (
          <em>{words.inUse}</em>
        ) : (
          <button
            type="button"
            className={styles.link}
            aria-label={words.chooseOf(words.embedded)}
            onClick={() => void models.choose()}
          >
            {words.choose}
          </button>
        )}
      </li>
      {stored.map((model) => (
        <StoredItem
          key={model.key}
          model={model}
          isInUse={inUse === model.key}
          isBusy={phase !== "idle"}
        />
      ))}
    </ul>
  );
}

interface ItemProps {
  readonly model: ModelsState["stored"][number];
  readonly isInUse: boolean;
  readonly isBusy: boolean;
}

function StoredItem({ model, isInUse, isBusy }: ItemProps) {
  const { models } = useApp();
  const words = texts.models;
  const { id, commit, bytes, license, isComplete } = model;
  const size = formatMegabytes(bytes);
  const begin = isComplete
    ? { text: words.choose, label: words.chooseOf(id), act: () => models.choose(model) }
    : {
        text: words.resume,
        label: words.resumeOf(id),
        act: () => models.find({ id, revision: commit }),
      };
  return (
    <li>
      <b>{id}</b>
      <span>{isComplete ? words.storedFacts(size, license) : words.unfinished(size)}</span>
      {isInUse ? (
        <em>{words.inUse}</em>
      ) : (
        <button
          type="button"
          className={styles.link}
          aria-label={begin.label}
          disabled={isBusy}
          onClick={() => void begin.act()}
        >
          {begin.text}
        </button>
      )}
      <button
        type="button"
        className={styles.link}
        aria-label={words.removeOf(id)}
        disabled={isBusy}
        onClick={() => void models.remove(model)}
      >
        {words.remove}
      </button>
    </li>
  );
}
