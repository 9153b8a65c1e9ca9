import { texts } from "@/language/language";
import type { FoundModel } from "@/store/models/models";
import { formatBytes } from "@/text/format";
import { useApp, useModels } from "../useApp";
import styles from "./Models.module.css";
import { useFacts } from "./modelFacts";

/** What a model of the Hub costs, and its download. */
export function FoundModelView({ found }: { readonly found: FoundModel }) {
  const { models } = useApp();
  const { step, progress } = useModels((state) => state);
  const { repository, bytes } = found;
  const words = texts.models;
  const rows = useFacts(found);
  return (
    <div className={styles.found}>
      <h4>{words.foundTitle(repository.id)}</h4>
      <dl>
        {rows.map(({ name, value, limit }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">
              {value}
              {limit && (
                <span className={styles.limit} data-off={limit.isExceeded}>
                  {limit.text}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {step === "downloading" ? (
        <p className={styles.progress}>
          <progress
            aria-label={words.download}
            value={progress?.loadedBytes ?? 0}
            max={progress?.totalBytes ?? bytes}
          />
          <span className="num">
            {words.progress(formatBytes(progress?.loadedBytes ?? 0), formatBytes(bytes))}
          </span>
          <button type="button" className={styles.link} onClick={() => models.stop()}>
            {words.stop}
          </button>
        </p>
      ) : (
        <button
          type="button"
          className={styles.primary}
          disabled={step !== "idle"}
          onClick={() => void models.download()}
        >
          {words.fetch}
        </button>
      )}
    </div>
  );
}
