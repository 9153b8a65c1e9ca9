import { texts } from "@/language/language";
import { sampleWords } from "@/store/images/samples";
import { Failure } from "../shared/Failure";
import { useApp, useChat, useViewer, useViewerImage } from "../useApp";
import { AddingDialogs } from "./AddingDialogs";
import { AddMenu } from "./AddMenu";
import { GALLERY_INPUT } from "./adding";
import { FetchingLine } from "./FetchingLine";
import styles from "./Gallery.module.css";

/** Samples, and the controls to add one's own image. */
export function Gallery() {
  const { viewer } = useApp();
  const samples = useViewer((state) => state.samples);
  const shown = samples.map((sample) => ({ ...sample, ...sampleWords(sample) }));
  const current = useViewerImage();
  const count = useChat((state) => state.conversation.images.length);
  // Several images have their own strip.
  const words = texts.viewer.gallery;
  const ownImage = count === 1 && current?.sampleId === undefined ? current : undefined;

  return (
    <div className={styles.gallery}>
      <ul className={styles.thumbs} aria-label={words.name}>
        {ownImage && (
          <li>
            <span className={styles.thumb} data-current="true" title={ownImage.title}>
              <img src={ownImage.url} alt={words.own(ownImage.title)} />
            </span>
          </li>
        )}
        {shown.map(({ id, url, title, pages }) => (
          <li key={id}>
            <button
              type="button"
              className={styles.thumb}
              data-current={id === current?.sampleId}
              data-pages={pages?.length}
              aria-pressed={id === current?.sampleId}
              title={title}
              onClick={() => void viewer.chooseSample(id)}
            >
              <img src={url} alt={title} loading="lazy" />
            </button>
          </li>
        ))}
        <li className={styles.adding}>
          <AddMenu
            target="new"
            className={styles.add}
            input={{ id: GALLERY_INPUT, name: words.file }}
            label={
              <>
                <span aria-hidden="true">+</span>
                <span className="unseen">{words.addOwn}</span>
              </>
            }
          />
        </li>
      </ul>
      <GalleryState />
      <AddingDialogs />
    </div>
  );
}

/** The result of the last choice, or how to choose an image. */
function GalleryState() {
  const { samples, target, failure, notice, fetching } = useViewer((state) => state);
  const current = useViewerImage();
  const note = samples.find(({ id }) => id === current?.sampleId)?.note;
  if (target === "new" && failure) {
    const pick = () => document.getElementById(GALLERY_INPUT)?.click();
    return <Failure failure={failure} onAct={failure.action && pick} />;
  }
  if (target === "new" && fetching) {
    return (
      <div className={`${styles.status} ${styles.told}`}>
        <FetchingLine />
      </div>
    );
  }
  const words = (target === "new" && notice) || note;
  return (
    <p className={words ? `${styles.status} ${styles.told}` : styles.status}>
      {words || texts.viewer.gallery.how}
    </p>
  );
}
