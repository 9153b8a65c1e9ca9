import { useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { shownRows } from "@/store/chat/shownRows";
import { formatCount } from "@/text/format";
import { keptShareOfAll, rowCount } from "../overlayGeometry";
import { useChat, useViewerImage } from "../useApp";
import { ImageFrame } from "../viewer/ImageFrame";
import { NO_SINKS, NOTHING_HIDDEN, type Overlay } from "../viewer/overlay";
import styles from "./About.module.css";

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
  if (!image || !layers || !layout) {
    return (
      <div className={styles.journey}>
        <ImageFrame image={image} rows={undefined} overlay={undefined} readings={NO_READINGS} />
        <p>
          Ask a question on the <a href="#chat">Chat</a> page to see its rows here: the text before
          the image, one row per visual token, and the words of the question.
        </p>
      </div>
    );
  }
  const visual = rowCount(layout);
  const total = layers[0]?.rowsBefore ?? 0;
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
            Your image is cut into {gridRows} × {gridColumns} patches
            {layout.tiles.length > 1 && ` in ${layout.tiles.length} tiles`}; the vision encoder
            turns each into one visual token: <b className="num">{visual}</b>.
          </li>
          <li>
            With <b className="num">{before}</b> tokens before them and{" "}
            <b className="num">{after}</b> after them, the prompt has <b className="num">{total}</b>{" "}
            tokens and as many rows in each of {layers.length} layers:{" "}
            <b className="num">{formatCount(total * layers.length)}</b>.
          </li>
          <li>
            The prefill records attention. The policy turns it into a list of rows per layer, and{" "}
            <b className="num">{formatCount(kept)}</b> rows are kept. The more layers kept a patch,
            the clearer it is.
          </li>
          <li>
            A kernel compacts the kept rows and the buffers are trimmed. A kept row keeps its
            position in the prompt; the next token gets the next position.
          </li>
        </ol>
      </div>
    </div>
  );
}
