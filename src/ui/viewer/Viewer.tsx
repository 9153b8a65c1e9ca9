import { useMemo, useState } from "react";
import { Segmented } from "../shared/Segmented";
import { useApp, useViewerPicture } from "../useApp";
import { Caption, MissedSentence } from "./Caption";
import { Gallery } from "./Gallery";
import { LayerBars } from "./LayerBars";
import { Legend } from "./Legend";
import { PictureFrame } from "./PictureFrame";
import { PictureStrip } from "./PictureStrip";
import { usePins } from "./usePins";
import { useViewerContent } from "./useViewerContent";
import styles from "./Viewer.module.css";

const VEIL_MODES = [
  { value: "kept", label: "Kept" },
  { value: "heat", label: "Heat" },
  { value: "off", label: "Off" },
] as const;

/** The picture and what lies over it, the rows per layer, and the pictures to choose from. */
export function Viewer() {
  const { settings } = useApp();
  const [isOpen, setOpen] = useState(false);
  const picture = useViewerPicture();
  const view = useViewerContent(picture);
  const pins = usePins(picture);
  const { heat, sinks, attention } = view;
  const readings = useMemo(() => ({ heat, sinks }), [heat, sinks]);

  return (
    <section className={styles.viewer} aria-label="Stage" data-open={isOpen}>
      <PictureFrame
        picture={picture}
        rows={view.rows}
        overlay={view.overlay}
        readings={readings}
        pins={pins}
        caption={attention && <Caption view={view} />}
      />
      <div className={styles.about}>
        <PictureStrip />
        <h2 className={styles.caption}>
          <Caption view={view} />
        </h2>
        <div className={styles.head}>
          <Legend view={view} />
          <Segmented
            label="Veil"
            value={view.mode}
            choices={VEIL_MODES}
            onChange={(overlay) => settings.setState({ overlay })}
          />
        </div>
        <LayerBars
          rows={view.rows}
          chosen={view.layer}
          onChoose={(layer) => settings.setState({ layer })}
          onHover={view.hoverLayer}
        />
        <Gallery />
        <button
          type="button"
          className={styles.open}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? "Smaller picture" : "Larger picture"}
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
