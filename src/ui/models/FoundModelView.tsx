import { texts } from "@/language/language";
import type { FoundModel } from "@/store/models/models";
import { formatCount, formatMegabytes } from "@/text/format";
import { useApp, useModels } from "../useApp";
import styles from "./Models.module.css";

/** What a model of the Hub costs, and its download. */
export function FoundModelView({ found }: { readonly found: FoundModel }) {
  const { models } = useApp();
  const { step, progress } = useModels((state) => state);
  const { repository, outline, bytes } = found;
  const weightBytes = repository.files
    .filter(({ name }) => name.endsWith(".safetensors"))
    .reduce((sum, file) => sum + file.bytes, 0);
  const words = texts.models;
  const rows = [
    [words.family, outline.family],
    [words.images, outline.hasVision ? words.reads : words.textOnly],
    [words.license, repository.license ?? words.noLicense],
    [words.download, words.files(formatMegabytes(bytes), repository.files.length)],
    [words.gpu, words.gpuOf(formatMegabytes(weightBytes))],
    [words.price, words.priceOf(formatMegabytes(1000 * outline.bytesPerRow))],
    [words.context, words.contextOf(formatCount(outline.contextLength))],
  ] as const;
  return (
    <div className={styles.found}>
      <h4>{words.foundTitle(repository.id)}</h4>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
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
            {words.progress(formatMegabytes(progress?.loadedBytes ?? 0), formatMegabytes(bytes))}
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
