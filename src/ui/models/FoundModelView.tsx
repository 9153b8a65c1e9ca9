import { texts } from "@/language/language";
import type { FoundModel, ModelsState } from "@/store/models/models";
import { formatBytes } from "@/text/format";
import { useApp, useModels } from "../useApp";
import styles from "./Models.module.css";
import { useFacts } from "./modelFacts";

/** What a model of the Hub costs, and its download. */
export function FoundModelView({ found }: { readonly found: FoundModel }) {
  const { models } = useApp();
  const { phase, progress } = useModels((state) => state);
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
      {phase === "downloading" ? (
        <Download progress={progress} totalBytes={bytes} />
      ) : (
        <button
          type="button"
          className={styles.primary}
          disabled={phase !== "idle"}
          onClick={() => void models.download()}
        >
          {words.fetch}
        </button>
      )}
    </div>
  );
}

interface DownloadProps {
  readonly progress: ModelsState["progress"];
  readonly totalBytes: number;
}

/** The download in total, and each file on request. */
function Download({ progress, totalBytes }: DownloadProps) {
  const { models } = useApp();
  const words = texts.models;
  const loadedBytes = progress?.loadedBytes ?? 0;
  return (
    <>
      <p className={styles.progress}>
        <progress aria-label={words.download} value={loadedBytes} max={totalBytes} />
        <span className="num">
          {words.progress(formatBytes(loadedBytes), formatBytes(totalBytes))}
        </span>
        <button type="button" className={styles.link} onClick={() => models.stop()}>
          {words.stop}
        </button>
      </p>
      {progress && (
        <details className={styles.larger}>
          <summary>{words.eachFile(progress.files.length)}</summary>
          <ul className={styles.fileList}>
            {progress.files.map(({ name, loadedBytes: loaded, bytes }) => (
              <li key={name}>
                <span>{name}</span>
                <span className="num">
                  {words.progress(formatBytes(loaded), formatBytes(bytes))}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
