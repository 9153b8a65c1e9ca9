import { texts } from "@/language/language";
import type { LayerReport } from "@/protocol/result";
import type { Patch } from "../overlayGeometry";
import styles from "./PatchReadout.module.css";
import { describePatch, type Readings } from "./patchWords";

/** Pinned patches and the actions on them. */
export interface Pins {
  readonly positions: readonly number[];
  readonly onToggle: (position: number) => void;
  readonly onClear: () => void;
  /** Asks again about a copy of the image without the pinned patches; absent before an answer. */
  readonly onHide: ((patches: readonly Patch[]) => void) | undefined;
}

interface Props {
  readonly patch: Patch | undefined;
  readonly pinned: readonly Patch[];
  readonly pins: Pins | undefined;
  readonly layers: readonly LayerReport[];
  readonly readings: Readings;
}

/** Describes the patch under the pointer, and asks again without the pinned patches. */
export function PatchReadout({ patch, pinned, pins, layers, readings }: Props) {
  // Out of the way of the patch that is read.
  const side = patch && patch.box.y + patch.box.height / 2 > 0.6 ? "top" : "bottom";
  const onHide = pins?.onHide;
  return (
    <div className={styles.readout} data-on={patch !== undefined} data-side={side}>
      <output>{patch && describePatch(patch, layers, readings)}</output>
      {pins && pinned.length > 0 && (
        <div className={styles.pins}>
          {onHide && (
            <button type="button" className={styles.hide} onClick={() => onHide(pinned)}>
              {texts.viewer.patch.hide(pinned.length)}
            </button>
          )}
          <button type="button" onClick={pins.onClear}>
            {texts.viewer.patch.unpin}
          </button>
        </div>
      )}
    </div>
  );
}
