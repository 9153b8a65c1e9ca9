import { useEffect, useRef, useState } from "react";
import { texts } from "@/language/language";
import { stillOf, type VideoStill } from "@/store/images/readVideo";
import type { Target } from "@/store/images/viewerState";
import { useApp } from "../useApp";
import styles from "./Adding.module.css";

interface Props {
  readonly target: Target;
  readonly onClose: () => void;
}

/** Frames of a short video, and the time between two. */
const FRAMES = 8;
const FRAME_MS = 1000;

/** A live preview, a still, and frames of a short video. The camera is off again as soon as the dialog is closed. */
export default function Camera({ target, onClose }: Props) {
  const { viewer } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [isLive, setLive] = useState(false);
  const [taken, setTaken] = useState<number>();
  const closed = useRef(false);
  const refusal = useCamera(video);
  const words = texts.viewer.camera;

  useEffect(() => dialog.current?.showModal(), []);

  async function take() {
    const blob = video.current && (await still(video.current));
    if (!blob) return;
    const time = new Date().toLocaleTimeString(texts.tag, { timeStyle: "short" });
    void viewer.choose([{ blob, title: words.imageTitle(time) }], target);
    dialog.current?.close();
  }

  async function takeFrames() {
    const stills: VideoStill[] = [];
    const start = performance.now();
    const time = new Date().toLocaleTimeString(texts.tag, { timeStyle: "short" });
    while (stills.length < FRAMES && video.current && !closed.current) {
      const seconds = (performance.now() - start) / 1000;
      stills.push({ blob: await stillOf(video.current), seconds });
      setTaken(stills.length);
      await new Promise((done) => setTimeout(done, FRAME_MS));
    }
    if (closed.current) return;
    const duration = (performance.now() - start) / 1000;
    void viewer.chooseStills({ stills, duration }, words.framesTitle(time), target);
    dialog.current?.close();
  }

  function close() {
    closed.current = true;
    onClose();
  }

  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby="camera-title" onClose={close}>
      <h2 id="camera-title">{words.title}</h2>
      <div className={styles.view}>
        {refusal ? (
          <p className={styles.refusal} role="alert">
            {refusal}
          </p>
        ) : (
          <video
            ref={video}
            className={styles.video}
            autoPlay
            muted
            playsInline
            aria-label={words.live}
            onPlaying={() => setLive(true)}
          />
        )}
      </div>
      <p className={styles.hint} role={taken ? "status" : undefined}>
        {taken ? words.taking(taken, FRAMES) : words.stays}
      </p>
      <div className={styles.buttons}>
        <button type="button" className={styles.quiet} onClick={() => dialog.current?.close()}>
          {texts.viewer.add.close}
        </button>
        {!refusal && (
          <button
            type="button"
            className={styles.quiet}
            disabled={!isLive || taken !== undefined}
            onClick={() => void takeFrames()}
          >
            {words.takeFrames(FRAMES)}
          </button>
        )}
        {!refusal && (
          <button
            type="button"
            className={styles.primary}
            disabled={!isLive || taken !== undefined}
            onClick={() => void take()}
          >
            {words.take}
          </button>
        )}
      </div>
    </dialog>
  );
}

/** Opens the camera into a video element. @returns why it cannot, once that is known */
function useCamera(video: React.RefObject<HTMLVideoElement | null>): string | undefined {
  const [refusal, setRefusal] = useState<string>();
  useEffect(() => {
    let stream: MediaStream | undefined;
    let isClosed = false;
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    void open().then(
      (opened) => {
        stream = opened;
        if (isClosed) return stop();
        if (video.current) video.current.srcObject = opened;
      },
      (error) => !isClosed && setRefusal(refusalOf(error)),
    );
    return () => {
      isClosed = true;
      stop();
    };
  }, [video]);
  return refusal;
}

/** The rear camera, if there are two. */
function open(): Promise<MediaStream> {
  const size = { width: { ideal: 1920 }, height: { ideal: 1080 } };
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", ...size } });
}

function refusalOf(error: unknown): string {
  const { denied, absent, busy } = texts.viewer.camera;
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return denied;
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return absent;
  }
  return busy;
}

/** What the preview shows now, as a JPEG file. */
async function still(video: HTMLVideoElement): Promise<Blob | undefined> {
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0 || height === 0) return undefined;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}
