import { type FormEvent, useEffect, useRef, useState } from "react";
import { parseAddress } from "@/store/images/fetchImage";
import type { Target } from "@/store/images/viewer";
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
        <h2 id="address-title">Image from a web address</h2>
        <input
          className={styles.field}
          type="text"
          inputMode="url"
          aria-label="Address of the image"
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
            <p className={styles.hint}>
              This browser asks that site for the image. Not every site lets another page read its
              images; from those, download the image and drop it here.
            </p>
          )}
        </div>
        <div className={styles.buttons}>
          <button type="button" className={styles.quiet} onClick={() => dialog.current?.close()}>
            Close
          </button>
          <button
            type="submit"
            className={styles.primary}
            disabled={parseAddress(text) === undefined || isFetching}
          >
            Fetch the image
          </button>
        </div>
      </form>
    </dialog>
  );
}
