import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { ImageLayout, LayerReport } from "@/protocol/engine";
import { tokenColor } from "../color";
import { layersThatKept, type Patch, patchAt, patchesOf } from "../veilGeometry";
import { drawOutline } from "./drawVeil";
import styles from "./Stage.module.css";

interface Props {
  readonly rows: { readonly layers: readonly LayerReport[]; readonly layout: ImageLayout };
}

/** Says of the patch under the pointer, or under the keyboard's cursor, which layers kept its row. */
export function PatchReader({ rows: { layers, layout } }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [patch, setPatch] = useState<Patch>();
  const patches = useMemo(() => patchesOf(layout), [layout]);

  useEffect(() => {
    if (!canvas.current) return;
    drawOutline(canvas.current, patch, {
      veil: "",
      outline: tokenColor(document.body, "--accent"),
    });
  }, [patch]);

  function point(event: PointerEvent<HTMLElement>) {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    setPatch(patchAt(patches, (event.clientX - left) / width, (event.clientY - top) / height));
  }

  function press(event: KeyboardEvent) {
    if (event.key === "Escape" && patch) {
      event.stopPropagation();
      return setPatch(undefined);
    }
    const next = neighbour(patches, patch, event.key);
    if (!next) return;
    event.preventDefault();
    setPatch(next);
  }

  return (
    <>
      <div
        className={styles.reader}
        role="application"
        aria-roledescription="patch reader"
        aria-label="Patches of the picture. Arrow keys move from patch to patch."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read the patches
        tabIndex={0}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setPatch(undefined)}
        onBlur={() => setPatch(undefined)}
        onKeyDown={press}
      >
        <canvas ref={canvas} className={styles.veil} data-on="true" />
      </div>
      <output className={styles.readout} data-on={patch !== undefined}>
        {patch && describePatch(patch, layers)}
      </output>
    </>
  );
}

/** `row 143 · kept by layers 1–3, 5`, with rows counted from 1 as the layers are. */
export function describePatch(patch: Patch, layers: readonly LayerReport[]): string {
  const kept = layersThatKept(layers, patch.position);
  const place = `Row ${patch.position + 1}`;
  if (kept.length === 0) return `${place} · dropped by every layer`;
  if (kept.length === layers.length) return `${place} · kept by every layer`;
  return `${place} · kept by ${kept.length === 1 ? "layer" : "layers"} ${ranges(kept)}`;
}

/** Ascending layers, counted from 0, as counted from 1: `1–3, 5`. */
function ranges(layers: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run && run.last === layer - 1) run.last = layer;
    else runs.push({ first: layer, last: layer });
  }
  return runs
    .map(({ first, last }) => (first === last ? `${first + 1}` : `${first + 1}–${last + 1}`))
    .join(", ");
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
