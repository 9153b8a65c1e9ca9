import { useId } from "react";
import { texts } from "@/language/language";
import { useApp, useChat, useImageWords, useViewerImage } from "../useApp";
import styles from "./ImageStrip.module.css";

/** Selects the image in the viewer, if the conversation has several. */
export function ImageStrip() {
  const { viewer } = useApp();
  const name = useId();
  const images = useChat((state) => state.conversation.images);
  const current = useViewerImage();
  const wordsOf = useImageWords();
  if (images.length < 2) return null;
  const words = texts.viewer.gallery;
  return (
    <div className={styles.strip} role="radiogroup" aria-label={words.images}>
      {images.map((image, index) => (
        <label key={image.id} className={styles.choice} title={wordsOf(image).title}>
          <input
            type="radio"
            className="cover"
            name={name}
            aria-label={words.image(index + 1, images.length, wordsOf(image).title)}
            checked={image.id === current?.id}
            onChange={() => viewer.show(image.id)}
          />
          <img src={image.url} alt={image.sampleId === undefined ? words.own(image.title) : ""} />
          <span className={`num ${styles.place}`} aria-hidden="true">
            {index + 1}
          </span>
        </label>
      ))}
    </div>
  );
}
