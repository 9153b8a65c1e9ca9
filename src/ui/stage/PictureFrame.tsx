import { useRef } from "react";
import type { ImageLayout, LayerReport } from "@/protocol/engine";
import type { Picture } from "@/store/conversation";
import { PatchReader } from "./PatchReader";
import styles from "./Stage.module.css";
import { useVeil } from "./useVeil";

interface Props {
  readonly picture: Picture | undefined;
  readonly rows:
    | { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout }
    | undefined;
  readonly share: ReadonlyMap<number, number> | undefined;
}

/** A square that the picture fits into, so that nothing below it moves when the picture changes. */
export function PictureFrame({ picture, rows, share }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useVeil(canvas, rows?.layout, share);
  const ratio = picture ? picture.width / picture.height : 1;
  return (
    <figure className={styles.frame}>
      {picture && (
        <div
          className={styles.fit}
          data-wide={ratio >= 1}
          style={{ aspectRatio: `${picture.width} / ${picture.height}` }}
        >
          <img src={picture.url} alt={picture.alt} />
          <canvas ref={canvas} className={styles.veil} data-on={share !== undefined} />
          {rows && <PatchReader rows={rows} />}
        </div>
      )}
    </figure>
  );
}
