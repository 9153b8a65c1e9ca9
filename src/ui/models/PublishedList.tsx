import { texts } from "@/language/language";
import { PUBLISHED, type PublishedModel } from "@/store/models/publishedModels";
import { useApp, useModels } from "../useApp";
import styles from "./Models.module.css";
import { usePublishedFacts } from "./modelFacts";

/** Shown at once; larger ones on request. */
const FIRST = 3;

/** Models of supported families with what they cost; nothing is asked of the Hub for it. */
export function PublishedList() {
  const words = texts.models;
  return (
    <>
      <p className={styles.hint}>{words.published}</p>
      <ul className={`${styles.stored} ${styles.published}`} aria-label={words.suggested}>
        {PUBLISHED.slice(0, FIRST).map((model) => (
          <PublishedItem key={model.id} model={model} />
        ))}
      </ul>
      <details className={styles.larger}>
        <summary>{words.larger(PUBLISHED.length - FIRST)}</summary>
        <ul className={`${styles.stored} ${styles.published}`}>
          {PUBLISHED.slice(FIRST).map((model) => (
            <PublishedItem key={model.id} model={model} />
          ))}
        </ul>
      </details>
    </>
  );
}

function PublishedItem({ model }: { readonly model: PublishedModel }) {
  const { models } = useApp();
  const isBusy = useModels((state) => state.phase !== "idle");
  const { lines, limits } = usePublishedFacts(model);
  const words = texts.models;
  const { id } = model;
  return (
    <li>
      <b>{id}</b>
      <button
        type="button"
        className={styles.link}
        aria-label={words.lookOf(id)}
        disabled={isBusy}
        onClick={() => void models.find({ id, revision: "main" })}
      >
        {words.look}
      </button>
      <span className={`num ${styles.costs}`}>
        {lines.map((line) => (
          <span key={line}>{line}</span>
        ))}
        {limits.map((limit) => (
          <span key={limit} className={styles.limit} data-off>
            {limit}
          </span>
        ))}
      </span>
    </li>
  );
}
