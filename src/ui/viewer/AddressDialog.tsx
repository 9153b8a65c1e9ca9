import { type FormEvent, useEffect, useRef, useState } from "react";
import { texts } from "@/language/language";
import { parseAddress } from "@/store/images/fetchImage";
import type { Target } from "@/store/images/viewerState";
import { failureSentence } from "../shared/failureWords";
import { useApp, useViewer } from "../useApp";
import styles from "./Adding.module.css";
import { FetchingLine } from "./FetchingLine";

interface Props {
  readonly target: Target;
  readonly onClose: () => void;
}

/** Fetches an image from an address. The field keeps its text until an image has arrived. */
export default function AddressDialog({ target, onClose }: Props) {
  const { viewer } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [isTried, setTried] = useState(false);
  const isFetching = useViewer((state) => state.fetching !== undefined);
  const failure = useViewer((state) => state.failure);
  const words = texts.viewer.fromAddress;

  useEffect(() => dialog.current?.showModal(), []);

  async function fetchImage(event: FormEvent) {
    event.preventDefault();
    if (isFetching) return;
    setTried(true);
    if (await viewer.chooseAddresses([text], target)) dialog.current?.close();
  }

  function close() {
    if (isFetching) viewer.stopReading();
    // The failure was shown in the dialog and is not repeated behind it.
    if (isTried) viewer.dismissFailure();
    onClose();
  }

  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby="address-title" onClose={close}>
      <form onSubmit={(event) => void fetchImage(event)}>
        <h2 id="address-title">{words.title}</h2>
        <input
          className={styles.field}
          type="text"
          inputMode="url"
          aria-label={words.field}
          placeholder="https://"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={({ target: field }) => {
            setText(field.value);
            setTried(false);
          }}
        />
        <div className={styles.state}>
          {isFetching ? (
            <FetchingLine />
          ) : isTried && failure ? (
            <p className={styles.refusal} role="alert">
              {failureSentence(failure)}
            </p>
          ) : (
            <p className={styles.hint}>{words.help}</p>
          )}
        </div>
        <div className={styles.buttons}>
          <button type="button" className={styles.quiet} onClick={() => dialog.current?.close()}>
            {texts.viewer.add.close}
          </button>
          <button
            type="submit"
            className={styles.primary}
            disabled={parseAddress(text) === undefined || isFetching}
          >
            {words.fetch}
          </button>
        </div>
      </form>
    </dialog>
  );
}
