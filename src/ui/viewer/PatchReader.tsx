import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import { texts } from "@/language/language";
import { tokenColor } from "../color";
import { type Patch, patchAt } from "../overlayGeometry";
import { drawOutlines } from "./drawOverlay";
import styles from "./ImageFrame.module.css";

interface Props {
  readonly patches: readonly Patch[];
  /** The patch that is read. */
  readonly patch: Patch | undefined;
  readonly pinned: readonly Patch[];
  readonly onRead: (patch: Patch | undefined) => void;
  readonly onPin: ((position: number) => void) | undefined;
  readonly onUnpin: (() => void) | undefined;
}

/** Reads the patch under the pointer, or under the keyboard's cursor; a click or Enter pins it. */
export function PatchReader({ patches, patch, pinned, onRead, onPin, onUnpin }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    if (!canvas.current) return;
    const color = (token: string) => tokenColor(document.body, token);
    const outlines = [
      ...pinned.map(({ box }) => ({ box, color: color("--pinned"), width: 2 })),
      ...(patch ? [{ box: patch.box, color: color("--kept"), width: 2 }] : []),
    ];
    drawOutlines(canvas.current, outlines, color("--halo"));
  }, [patch, pinned]);

  function under(event: PointerEvent<HTMLElement> | React.MouseEvent<HTMLElement>) {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return patchAt(patches, (event.clientX - left) / width, (event.clientY - top) / height);
  }

  function press(event: KeyboardEvent) {
    if (event.key === "Escape" && (patch || pinned.length > 0)) {
      event.stopPropagation();
      if (pinned.length > 0) onUnpin?.();
      return onRead(undefined);
    }
    if ((event.key === "Enter" || event.key === " ") && patch && onPin) {
      event.preventDefault();
      return onPin(patch.position);
    }
    const next = neighbour(patches, patch, event.key);
    if (!next) return;
    event.preventDefault();
    onRead(next);
  }

  return (
    <div
      className={styles.reader}
      role="application"
      aria-roledescription={texts.viewer.patch.reader}
      aria-label={onPin ? texts.viewer.patch.howPin : texts.viewer.patch.how}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the patches
      tabIndex={0}
      onPointerMove={(event) => onRead(under(event))}
      onPointerDown={(event) => onRead(under(event))}
      onPointerLeave={() => onRead(undefined)}
      onClick={(event) => {
        const clicked = under(event);
        if (clicked) onPin?.(clicked.position);
      }}
      onBlur={() => onRead(undefined)}
      onKeyDown={press}
    >
      <canvas ref={canvas} className={styles.overlay} data-on="true" />
    </div>
  );
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The patch that a key leads to: the first at all, or the one beside the patch that is read. */
function neighbour(
  patches: readonly Patch[],
  patch: Patch | undefined,
  key: string,
): Patch | undefined {
  const step = STEPS[key];
  if (!step) return undefined;
  if (!patch) return patches[0];
  const { x, y, width, height } = patch.box;
  return patchAt(patches, x + width * (0.5 + step[0]), y + height * (0.5 + step[1]));
}
