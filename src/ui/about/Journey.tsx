import { type ReactNode, useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { texts } from "@/language/language";
import { shownRows } from "@/store/chat/shownRows";
import { formatCount } from "@/text/format";
import { keptShareOfAll, rowCount } from "../overlayGeometry";
import { Sentence } from "../shared/Sentence";
import { useChat, useViewerImage } from "../useApp";
import { ImageFrame } from "../viewer/ImageFrame";
import { NO_SINKS, NOTHING_HIDDEN, type Overlay } from "../viewer/overlay";
import styles from "./About.module.css";
import { promptLength } from "./latest";

const NO_READINGS = { heat: undefined, sinks: NO_SINKS };

/** The image in the viewer as rows of the prompt, with the last answer's own numbers. */
export function Journey() {
  const image = useViewerImage();
  const { layers, layout } = useChat(
    useShallow((state) => {
      const rows = image && shownRows(state, image.id);
      return { layers: rows?.layers, layout: rows?.layout };
    }),
  );
  const overlay = useMemo((): Overlay | undefined => {
    const paint = layers && { kind: "kept" as const, share: keptShareOfAll(layers) };
    return paint && { paint, sinks: NO_SINKS, hidden: NOTHING_HIDDEN };
  }, [layers]);
  const words = texts.about;
  if (!image || !layers || !layout) {
    return (
      <div className={styles.journey}>
        <ImageFrame image={image} rows={undefined} overlay={undefined} readings={NO_READINGS} />
        <p>
          <Sentence parts={words.askFirst<ReactNode>(<a href="#chat">{words.chat}</a>)} />
        </p>
      </div>
    );
  }
  const visual = rowCount(layout);
  const total = promptLength(layers);
  const before = layout.tiles[0]?.firstPosition ?? 0;
  const after = Math.max(0, total - before - visual);
  const kept = layers.reduce((sum, { rowsAfter }) => sum + rowsAfter, 0);
  const { gridRows, gridColumns } = layout.tiles[0] ?? { gridRows: 0, gridColumns: 0 };
  return (
    <div className={styles.journey}>
      <ImageFrame
        image={image}
        rows={{ layers, layout }}
        overlay={overlay}
        readings={NO_READINGS}
      />
      <div>
        <div className={styles.strip} aria-hidden="true">
          <i style={{ flexGrow: before }} />
          <i data-visual="true" style={{ flexGrow: visual }} />
          <i style={{ flexGrow: after }} />
        </div>
        <ol className={styles.steps}>
          <li>
            <Sentence
              parts={words.cut(gridRows, gridColumns, layout.tiles.length, count(visual))}
            />
          </li>
          <li>
            <Sentence
              parts={words.prompt<ReactNode>({
                before: count(before),
                after: count(after),
                total: count(total),
                layers: layers.length,
                rows: count(total * layers.length),
              })}
            />
          </li>
          <li>
            <Sentence parts={words.choose<ReactNode>(count(kept))} />
          </li>
          <li>{words.compact}</li>
        </ol>
      </div>
    </div>
  );
}

function count(number: number): ReactNode {
  return <b className="num">{formatCount(number)}</b>;
}
