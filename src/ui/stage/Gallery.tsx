import { useRef } from "react";
import { useStore } from "zustand/react";
import { Failure } from "../shared/Failure";
import { useApp, useChat } from "../useApp";
import styles from "./Stage.module.css";

/** Samples, and the way to a picture of one's own. */
export function Gallery() {
  const app = useApp();
  const { samples, failure } = useStore(app.stage);
  const current = useChat((state) => state.conversation.pictures.at(-1)?.sampleId);
  const own = useChat((state) => {
    const picture = state.conversation.pictures.at(-1);
    return picture && picture.sampleId === undefined ? picture : undefined;
  });
  const input = useRef<HTMLInputElement>(null);
  const pick = () => input.current?.click();

  return (
    <div className={styles.gallery}>
      <ul className={styles.thumbs} aria-label="Sample images">
        {own && (
          <li>
            <span className={styles.thumb} data-current="true" title={own.title}>
              <img src={own.url} alt={`Your image: ${own.title}`} />
            </span>
          </li>
        )}
        {samples.map(({ id, url, title }) => (
          <li key={id}>
            <button
              type="button"
              className={styles.thumb}
              data-current={id === current}
              aria-pressed={id === current}
              title={title}
              onClick={() => void app.chooseSample(id)}
            >
              <img src={url} alt={title} loading="lazy" />
            </button>
          </li>
        ))}
        <li>
          <button
            type="button"
            className={styles.add}
            aria-label="Add an image of your own"
            onClick={pick}
          >
            +
          </button>
        </li>
      </ul>
      <input
        ref={input}
        id="image-file"
        type="file"
        accept="image/*"
        className="unseen"
        tabIndex={-1}
        aria-label="Image file"
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          currentTarget.value = "";
          if (file) void app.chooseFile(file, file.name);
        }}
      />
      {failure ? (
        <Failure failure={failure} onAct={pick} />
      ) : (
        <p className={styles.status}>Drop, paste or pick an image. Nothing leaves this device.</p>
      )}
    </div>
  );
}
