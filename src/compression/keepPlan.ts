import type { KeepPlan, LayerPlan, MergePlan } from "./types";

/** A plan that no cache can carry out; the message names the layer. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

/** The cached rows that a plan is checked against. */
interface PlanShape {
  readonly layers: number;
  readonly kvHeads: number;
  /** Rows of the span that a head of a layer holds. */
  rows(layer: number, head: number): number;
}

/** Kept rows of one head, counted from the start of the span. */
export function keptRows({ keep }: LayerPlan, head: number): Uint32Array {
  return keep[keep.length === 1 ? 0 : head] as Uint32Array;
}

type AssignedMerge = Extract<MergePlan, { readonly kind: "assign" }>;

/**
 * For each row of a head's span the row that it is merged into, or -1. A kept row may itself be
 * merged into another and is still kept, or into itself and then counts twice (the release of
 * Elastic Cache does both).
 */
export function absorbedInto({ into }: AssignedMerge, head: number): Int32Array {
  return into[into.length === 1 ? 0 : head] as Int32Array;
}

/**
 * Checks that a plan can be carried out: a layer plan per layer, one list or one per head, rows strictly
 * ascending and within the span; rows are merged into kept rows only.
 * @throws PlanError
 */
export function checkPlan(plan: KeepPlan, shape: PlanShape): void {
  const { layers, kvHeads } = shape;
  if (plan.layers.length !== layers) {
    throw new PlanError(`the plan has ${plan.layers.length} layers, the model ${layers}`);
  }
  for (const [layer, layerPlan] of plan.layers.entries()) {
    const { keep, merge } = layerPlan;
    const assigned = merge?.kind === "assign" ? merge : undefined;
    for (const lists of assigned ? [keep, assigned.into] : [keep]) {
      if (lists.length === 1 || lists.length === kvHeads) continue;
      throw new PlanError(`layer ${layer}: ${lists.length} lists for ${kvHeads} heads`);
    }
    const rows = Array.from({ length: kvHeads }, (_, head) => shape.rows(layer, head));
    for (const [head, kept] of keep.entries()) {
      checkKept(kept, keep.length === 1 ? Math.min(...rows) : (rows[head] as number), layer);
    }
    if (!assigned) continue;
    for (const [head, count] of rows.entries()) {
      const { length } = absorbedInto(assigned, head);
      if (length === count) continue;
      throw new PlanError(`layer ${layer}: ${length} of ${count} rows are assigned`);
    }
    for (let list = 0; list < Math.max(keep.length, assigned.into.length); list++) {
      checkAbsorbed(absorbedInto(assigned, list), keptRows(layerPlan, list), layer);
    }
  }
}

function checkKept(kept: Uint32Array, rows: number, layer: number): void {
  let last = -1;
  for (let i = 0; i < kept.length; i++) {
    const row = kept[i] as number;
    if (row >= rows || row <= last) {
      throw new PlanError(`layer ${layer}: entry ${i} of the kept rows is ${row} of ${rows}`);
    }
    last = row;
  }
}

function checkAbsorbed(into: Int32Array, kept: Uint32Array, layer: number): void {
  const isKept = new Uint8Array(into.length);
  for (let i = 0; i < kept.length; i++) isKept[kept[i] as number] = 1;
  for (let row = 0; row < into.length; row++) {
    const keeper = into[row] as number;
    if (keeper < 0 || isKept[keeper] === 1) continue;
    throw new PlanError(
      `layer ${layer}: row ${row} is merged into row ${keeper}, which is not kept`,
    );
  }
}
