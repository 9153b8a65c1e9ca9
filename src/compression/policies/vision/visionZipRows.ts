import { cosine } from "../../blocks/cosine";
import { topPlaces } from "../../blocks/select";

/** A choice of rows. */
export interface Zipped {
  /** Dominant and contextual rows. */
  readonly keep: readonly number[];
  /** Contextual rows. */
  readonly targets: readonly number[];
  /** Rows that join one of them. */
  readonly joining: readonly number[];
}

/**
 * Rows without a key, which end lines, are in none of the three.
 * @param unit keys of length 1, f32 [rows, width] @param counts of dominant and contextual rows
 */
export function zipped(
  attention: Float32Array,
  unit: Float32Array,
  width: number,
  [dominant, contextual]: readonly [number, number],
): Zipped {
  const hasKey = (row: number) => unit.subarray(row * width, (row + 1) * width).some(Boolean);
  const first = new Set(topPlaces(Float64Array.from(attention), dominant).filter(hasKey));
  const others = Array.from(attention.keys()).filter((row) => !first.has(row) && hasKey(row));
  const stride = Math.max(1, Math.floor(others.length / contextual));
  const targets = others.filter((_, i) => i % stride === 0).slice(0, contextual);
  const taken = new Set(targets);
  const keep = [...first, ...targets].sort((a, b) => a - b);
  return { keep, targets, joining: others.filter((row) => !taken.has(row)) };
}

/** For each row the one that it joins, or −1. */
export function absorbed(
  { targets, joining }: Zipped,
  unit: Float32Array,
  width: number,
): Int32Array {
  const into = new Int32Array(unit.length / width).fill(-1);
  for (const row of targets.length > 0 ? joining : []) {
    const cosines = targets.map((target) => cosine(unit, width, row, target));
    into[row] = targets[cosines.indexOf(Math.max(...cosines))] as number;
  }
  return into;
}
