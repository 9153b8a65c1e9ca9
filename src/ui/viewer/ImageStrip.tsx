import { useId } from "react";
import { texts } from "@/language/language";
import { useApp, useChat, useViewerImage } from "../useApp";
import styles from "./ImageStrip.module.css";

/** Selects the image in the viewer, if the conversation has several. */
export function ImageStrip() {
  const { viewer } = useApp();
  const name = useId();
  const images = useChat((state) => state.conversation.images);
  const current = useViewerImage();
  if (images.length < 2) return null;
  const words = texts.viewer.gallery;
  return (
    <div className={styles.strip} role="radiogroup" aria-label={words.images}>
      {images.map(({ id, url, title, sampleId }, index) => (
        <label key={id} className={styles.choice} title={title}>
          <input
            type="radio"
            className="cover"
            name={name}
            aria-label={words.image(index + 1, images.length, title)}
            checked={id === current?.id}
            onChange={() => viewer.show(id)}
          />
          <img src={url} alt={sampleId === undefined ? words.own(title) : ""} />
          <span className={`num ${styles.place}`} aria-hidden="true">
            {index + 1}
          </span>
        </label>
      ))}
    </div>
  );
}
