import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { ImageLayout, LayerReport } from "@/protocol/engine";
import type { Picture } from "@/store/conversation/conversation";
import { type Patch, patchesOf } from "../overlayGeometry";
import type { Overlay } from "./overlay";
import { PatchReader } from "./PatchReader";
import { PatchReadout, type Pins } from "./PatchReadout";
import type { Readings } from "./patchWords";
import { useOverlay } from "./useOverlay";
import styles from "./Viewer.module.css";

interface Props {
  readonly picture: Picture | undefined;
  readonly rows:
    | { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout }
    | undefined;
  readonly overlay: Overlay | undefined;
  readonly readings: Readings;
  /** Where patches can be pinned and hidden. */
  readonly pins?: Pins;
  /** Of a word that rests: picture and caption come into view where they have scrolled away. */
  readonly caption?: ReactNode;
}

/** A square that the picture fits into, so that nothing below it moves when the picture changes. */
export function PictureFrame({ picture, rows, overlay, readings, pins, caption }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const holder = useRef<HTMLDivElement>(null);
  const [patch, setPatch] = useState<Patch>();
  const layout = rows?.layout;
  const patches = useMemo(() => (layout ? patchesOf(layout) : []), [layout]);
  const pinned = useMemo(
    () => patches.filter(({ position }) => pins?.positions.includes(position)),
    [patches, pins?.positions],
  );
  const isAway = useAway(holder, caption !== undefined);
  useOverlay(canvas, layout, overlay);
  const ratio = picture ? picture.width / picture.height : 1;
  return (
    <div ref={holder} className={styles.holder}>
      <figure className={styles.frame} data-floating={isAway || undefined}>
        {picture && (
          <div
            className={styles.fit}
            data-wide={ratio >= 1}
            style={{ aspectRatio: `${picture.width} / ${picture.height}` }}
          >
            <img src={picture.url} alt={picture.alt} />
            <canvas ref={canvas} className={styles.overlay} data-on={overlay !== undefined} />
            {rows && (
              <PatchReader
                patches={patches}
                patch={patch}
                pinned={pinned}
                onRead={setPatch}
                onPin={pins?.onToggle}
                onUnpin={pins?.onClear}
              />
            )}
          </div>
        )}
        {isAway && <figcaption className={styles.floatingCaption}>{caption}</figcaption>}
      </figure>
      {rows && (
        <PatchReadout
          patch={patch ?? pinned.at(-1)}
          pinned={pinned}
          pins={pins}
          layers={rows.layers}
          readings={readings}
        />
      )}
    </div>
  );
}

/** Whether the picture has left the window while it is wanted; it stays put once it is in it. */
function useAway(holder: RefObject<HTMLElement | null>, isWanted: boolean): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    const box = holder.current?.getBoundingClientRect();
    // A third of it is enough to see where a word looked.
    setAway(isWanted && box !== undefined && box.bottom < box.height / 3);
  }, [holder, isWanted]);
  return isAway;
}
