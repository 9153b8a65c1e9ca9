import { useMemo, useState } from "react";
import { useStore } from "zustand/react";
import { useShallow } from "zustand/react/shallow";
import { type ShownRows, shownRows } from "@/store/shownRows";
import { Segmented } from "../shared/Segmented";
import { useApp, useChat, useSettings, useStagePicture } from "../useApp";
import { keptRows, keptShare, keptShareOfAll, rowCount } from "../veilGeometry";
import { Gallery } from "./Gallery";
import { LayerBars } from "./LayerBars";
import { PictureFrame } from "./PictureFrame";
import { PictureStrip } from "./PictureStrip";
import styles from "./Stage.module.css";

const VEIL_MODES = [
  { value: "kept", label: "Kept" },
  { value: "off", label: "Off" },
] as const;

/** The picture under its veil, the rows per layer, and the pictures to choose from. */
export function Stage() {
  const { settings, preview: previews } = useApp();
  const veil = useSettings((state) => state.veil);
  const layer = useSettings((state) => state.layer);
  const [hover, setHover] = useState<{
    readonly over: typeof layer;
    readonly from: typeof layer;
  }>();
  const [isOpen, setOpen] = useState(false);
  const picture = useStagePicture();
  const shown = useChat(useShallow((state) => flatRows(picture && shownRows(state, picture.id))));
  const isNewest = useChat((state) => state.shown === undefined);
  const preview = useStore(previews, (state) => state.preview);
  const isPreview = isNewest && preview !== undefined && shown.layout !== undefined;
  const rows = isPreview ? { layers: preview.layers, layout: shown.layout } : shown;
  // A layer chosen by key while the pointer rests on another bar is the one that is shown.
  const chosen = clampLayer(hover?.from === layer ? hover.over : layer, rows.layers?.length);

  const share = useMemo(() => {
    if (!rows.layers) return undefined;
    return chosen === "all" ? keptShareOfAll(rows.layers) : keptShare(rows.layers[chosen]!);
  }, [rows.layers, chosen]);

  return (
    <section className={styles.stage} aria-label="Stage" data-open={isOpen}>
      <PictureFrame
        picture={picture}
        rows={rows.layers && rows.layout ? { layers: rows.layers, layout: rows.layout } : undefined}
        share={veil === "kept" ? share : undefined}
      />
      <div className={styles.about}>
        <PictureStrip />
        <div className={styles.head}>
          <h2 className={styles.caption}>
            <Caption rows={rows} share={share} layer={chosen} isPreview={isPreview} />
          </h2>
          <Segmented
            label="Veil"
            value={veil}
            choices={VEIL_MODES}
            onChange={(value) => settings.setState({ veil: value })}
          />
        </div>
        <LayerBars
          rows={
            rows.layers && rows.layout ? { layers: rows.layers, layout: rows.layout } : undefined
          }
          chosen={chosen}
          onChoose={(value) => settings.setState({ layer: value })}
          onHover={(over) => setHover(over === undefined ? undefined : { over, from: layer })}
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
    </section>
  );
}

/** Flat, so that a shallow comparison sees when nothing changed. */
function flatRows(rows: ShownRows | undefined) {
  return { layers: rows?.layers, layout: rows?.layout };
}

function clampLayer(layer: number | "all", layers = 1): number | "all" {
  return layer === "all" ? layer : Math.min(layer, layers - 1);
}

interface CaptionProps {
  readonly rows: ReturnType<typeof flatRows>;
  readonly share: ReadonlyMap<number, number> | undefined;
  readonly layer: number | "all";
  /** Of the next settings, not of an answer. */
  readonly isPreview: boolean;
}

function Caption({ rows: { layers, layout }, share, layer, isPreview }: CaptionProps) {
  if (!layers || !layout || !share) return <>Ask, and see which patches each layer keeps</>;
  const kept = Math.round(keptRows(layout, share));
  const verb = isPreview ? "would keep" : "kept";
  const whole = <span className="num">{rowCount(layout)}</span>;
  if (layer === "all") {
    return (
      <>
        {layers.length} layers {verb} <b className="num">{kept}</b> of {whole} patches on average
      </>
    );
  }
  return (
    <>
      Layer {layer + 1} {verb} <b className="num">{kept}</b> of {whole} patches
    </>
  );
}
