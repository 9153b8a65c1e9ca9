import {
  type CSSProperties,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import type { ConversationImage } from "@/store/conversation/conversation";
import { type Patch, patchesOf } from "../overlayGeometry";
import { useImageWords } from "../useApp";
import styles from "./ImageFrame.module.css";
import type { Overlay } from "./overlay";
import { PatchReader } from "./PatchReader";
import { PatchReadout, type Pins } from "./PatchReadout";
import type { Readings } from "./patchWords";
import { useOverlay } from "./useOverlay";
import viewerStyles from "./Viewer.module.css";

interface Props {
  readonly image: ConversationImage | undefined;
  readonly rows:
    | { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout }
    | undefined;
  readonly overlay: Overlay | undefined;
  readonly readings: Readings;
  /** Where patches can be pinned and hidden. */
  readonly pins?: Pins;
  /** Caption of the current word: image and caption scroll into view. */
  readonly caption?: ReactNode;
}

/** The image in a place whose height does not depend on it, so that nothing below it moves when it changes. */
export function ImageFrame({ image, rows, overlay, readings, pins, caption }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const holder = useRef<HTMLDivElement>(null);
  const [patch, setPatch] = useState<Patch>();
  const layout = rows?.layout;
  const patches = useMemo(() => (layout ? patchesOf(layout) : []), [layout]);
  const pinned = useMemo(
    () => patches.filter(({ position }) => pins?.positions.includes(position)),
    [patches, pins?.positions],
  );
  const wordsOf = useImageWords();
  const isAway = useAway(holder, caption !== undefined);
  useOverlay(canvas, layout, overlay);
  const ratio = image ? image.width / image.height : 1;
  return (
    <div ref={holder} className={viewerStyles.holder} style={{ "--ratio": ratio } as CSSProperties}>
      <figure className={styles.frame} data-floating={isAway || undefined}>
        {image && (
          <div
            className={styles.fit}
            data-wide={ratio >= 1}
            style={{ aspectRatio: `${image.width} / ${image.height}` }}
          >
            <img src={image.url} alt={wordsOf(image).alt} />
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

/** Whether the image is out of view while it is needed; it does not move when it is in view. */
function useAway(holder: RefObject<HTMLElement | null>, isWanted: boolean): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    const box = holder.current?.getBoundingClientRect();
    // A third of it is enough to see the attended patches.
    setAway(isWanted && box !== undefined && box.bottom < box.height / 3);
  }, [holder, isWanted]);
  return isAway;
}
