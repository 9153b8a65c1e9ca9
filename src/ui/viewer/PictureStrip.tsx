import { useId } from "react";
import { useApp, useChat, useViewerPicture } from "../useApp";
import styles from "./PictureStrip.module.css";

/** The conversation's pictures, where there are several: chooses the one in the viewer. */
export function PictureStrip() {
  const { pictures: viewer } = useApp();
  const name = useId();
  const pictures = useChat((state) => state.conversation.pictures);
  const current = useViewerPicture();
  if (pictures.length < 2) return null;
  return (
    <div className={styles.strip} role="radiogroup" aria-label="Images of this conversation">
      {pictures.map(({ id, url, title, sampleId }, index) => (
        <label key={id} className={styles.choice} title={title}>
          <input
            type="radio"
            className="cover"
            name={name}
            aria-label={`Image ${index + 1} of ${pictures.length}: ${title}`}
            checked={id === current?.id}
            onChange={() => viewer.show(id)}
          />
          <img src={url} alt={sampleId === undefined ? `Your image: ${title}` : ""} />
          <span className={`num ${styles.place}`} aria-hidden="true">
            {index + 1}
          </span>
        </label>
      ))}
    </div>
  );
}
