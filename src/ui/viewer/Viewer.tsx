import { useMemo, useState } from "react";
import { texts } from "@/language/language";
import { Segmented } from "../shared/Segmented";
import { useApp, useModel, useViewerImage } from "../useApp";
import { Caption, MissedSentence } from "./Caption";
import { Gallery } from "./Gallery";
import { ImageFrame } from "./ImageFrame";
import { ImageStrip } from "./ImageStrip";
import { LayerBars } from "./LayerBars";
import { Legend } from "./Legend";
import { usePins } from "./usePins";
import { useViewerContent } from "./useViewerContent";
import styles from "./Viewer.module.css";

const VEIL_MODES = ["kept", "heat", "off"] as const;

/** The image with its overlay, the rows per layer, and the gallery. */
export function Viewer() {
  const { settings } = useApp();
  const [isOpen, setOpen] = useState(false);
  const image = useViewerImage();
  const view = useViewerContent(image);
  const purpose = useModel((state) => (state.phase === "ready" ? state.info.card?.purpose : ""));
  const pins = usePins(image);
  const { heat, sinks, attention } = view;
  const words = texts.viewer;
  const readings = useMemo(() => ({ heat, sinks }), [heat, sinks]);

  return (
    <section className={styles.viewer} aria-label={words.name} data-open={isOpen}>
      <div className={styles.image}>
        <ImageFrame
          image={image}
          rows={view.rows}
          overlay={view.overlay}
          readings={readings}
          pins={pins}
          caption={attention && <Caption view={view} />}
        />
      </div>
      <div className={styles.about}>
        <ImageStrip />
        <h2 className={styles.caption}>
          <Caption view={view} />
        </h2>
        {image && !image.sampleId && purpose && (
          <p className={styles.purpose}>{words.purpose(purpose)}</p>
        )}
        <div className={styles.head}>
          <Legend view={view} />
          <Segmented
            label={words.overlay.name}
            value={view.mode}
            choices={VEIL_MODES.map((value) => ({ value, label: words.overlay[value] }))}
            onChange={(overlay) => settings.choose({ overlay })}
          />
        </div>
        <LayerBars
          rows={view.rows}
          chosen={view.layer}
          onChoose={(layer) => settings.choose({ layer })}
          onHover={view.hoverLayer}
        />
        <Gallery />
        <button
          type="button"
          className={styles.open}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? words.smaller : words.larger}
        </button>
      </div>
      <div className="unseen" aria-live="polite">
        {attention && (
          <>
            <Caption view={view} />
            <MissedSentence view={view} />
          </>
        )}
      </div>
    </section>
  );
}
