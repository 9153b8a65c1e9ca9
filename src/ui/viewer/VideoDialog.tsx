import { type FormEvent, useEffect, useRef, useState } from "react";
import { texts } from "@/language/language";
import { MAX_IMAGES } from "@/store/conversation/imageBudget";
import type { Given } from "@/store/images/imageSources";
import type { Target } from "@/store/images/viewerState";
import { failureSentence } from "../shared/failureWords";
import { useApp, useViewer } from "../useApp";
import styles from "./Adding.module.css";

interface Props {
  readonly given: Given;
  readonly target: Target;
  readonly onClose: (hasAdded: boolean) => void;
}

const DEFAULT_FRAMES = 8;

/** Asks how many frames of a video to add, and adds them. */
export default function VideoDialog({ given, target, onClose }: Props) {
  const { viewer } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const [count, setCount] = useState(DEFAULT_FRAMES);
  const [isTried, setTried] = useState(false);
  const hasAdded = useRef(false);
  const isReading = useViewer((state) => state.isReading);
  const failure = useViewer((state) => state.failure);
  const words = texts.viewer.video;

  useEffect(() => dialog.current?.showModal(), []);

  async function add(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    hasAdded.current = await viewer.chooseVideo(given, count, target);
    if (hasAdded.current) dialog.current?.close();
  }

  function close() {
    if (isTried && isReading) viewer.stopReading();
    if (isTried) viewer.dismissFailure();
    onClose(hasAdded.current);
  }

  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby="video-title" onClose={close}>
      <form onSubmit={(event) => void add(event)}>
        <h2 id="video-title">{words.title}</h2>
        <p className={styles.hint} dir="auto">
          {given.title}
        </p>
        <label className={styles.count}>
          {words.count}
          <input
            className={styles.field}
            type="number"
            min={1}
            max={MAX_IMAGES}
            required
            value={Number.isNaN(count) ? "" : count}
            onChange={({ target: { valueAsNumber } }) => setCount(valueAsNumber)}
          />
        </label>
        <div className={styles.state}>
          {isTried && failure ? (
            <p className={styles.refusal} role="alert">
              {failureSentence(failure)}
            </p>
          ) : (
            <p className={styles.hint} role={isTried ? "status" : undefined}>
              {isTried && isReading ? words.reading : words.help}
            </p>
          )}
        </div>
        <div className={styles.buttons}>
          <button type="button" className={styles.quiet} onClick={() => dialog.current?.close()}>
            {texts.viewer.add.close}
          </button>
          <button type="submit" className={styles.primary} disabled={isTried && isReading}>
            {words.add}
          </button>
        </div>
      </form>
    </dialog>
  );
}
