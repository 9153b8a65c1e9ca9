import type { MissingReference, TurnResult } from "@/protocol/result";
import { sameSettings } from "../settings/settings";
import type { Attempt, Exchange } from "./conversation";
import { isAlike, type Origin } from "./origin";
import { type Run, textOf } from "./run";

/** How a compressed answer relates to the full cache's. */
export type Verdict =
  | { readonly kind: "same" | "differs"; readonly reference: string }
  /** The full cache is answering. */
  | { readonly kind: "pending" }
  /** There is no full answer: why the engine gave none, or that none was asked for. */
  | { readonly kind: "missing"; readonly why: MissingReference["missing"] | "off" };

/**
 * The verdict of a finished answer. Undefined if it was stopped, if nothing was dropped, and for an
 * answer with hidden patches that has nothing to be compared with.
 * @param isRunning whether the engine still works on this attempt
 */
export function verdictOf(
  exchange: Exchange,
  attempt: Attempt,
  isRunning: boolean,
): Verdict | undefined {
  const { run, hidden } = attempt;
  if (!isWhole(run)) return undefined;
  if (!hidden && isFull(run.result)) return undefined;
  const agrees = agreesWithReference(exchange, attempt);
  if (agrees !== undefined) {
    const reference = textOf(referenceFor(exchange, attempt)!.run);
    return { kind: agrees ? "same" : "differs", reference };
  }
  if (hidden || keptEverything(run.result)) return undefined;
  if (isRunning) return { kind: "pending" };
  const { reference } = run.result;
  const why = reference && "missing" in reference ? reference.missing : "off";
  return { kind: "missing", why };
}

/** Whether the answer is the full cache's own: no row of its prompt, or before it, was dropped. */
function keptEverything({ appended, layers, kvBytes }: TurnResult): boolean {
  const isWholeHistory = !appended && kvBytes.end >= kvBytes.full;
  return isWholeHistory && layers.every(({ rowsBefore, rowsAfter }) => rowsBefore === rowsAfter);
}

/**
 * The full cache's answer to the same question: the attempt's own reference, otherwise the newest
 * complete answer of the full cache under the same conditions, if it is not `attempt`.
 */
export function fullReference({ attempts }: Exchange, attempt: Attempt): Attempt | undefined {
  const own = ownReference(attempt);
  if (own) return own;
  const full = attempts.findLast(
    ({ run, hidden }) =>
      isWhole(run) && isFull(run.result) && !hidden && isAlike(run.origin, originIn(attempt)),
  );
  return full === attempt ? undefined : full;
}

/**
 * Whether an answer equals the full cache's answer to the same question. An answer with hidden
 * patches is compared with the newest answer about the complete image under the same settings, if
 * that was also prefilled anew: a cache that was appended to holds other rows.
 */
export function agreesWithReference(exchange: Exchange, attempt: Attempt): boolean | undefined {
  const reference = referenceFor(exchange, attempt);
  if (!reference || !isWhole(attempt.run)) return undefined;
  return textOf(reference.run).trim() === textOf(attempt.run).trim();
}

function referenceFor(exchange: Exchange, attempt: Attempt): Attempt | undefined {
  return attempt.hidden ? wholeReference(exchange, attempt) : fullReference(exchange, attempt);
}

/** The reference that the engine gave together with an answer, as an attempt of its own. */
function ownReference({ id, settings, run }: Attempt): Attempt | undefined {
  const reference = run.phase === "done" ? run.result.reference : undefined;
  if (!reference || !("result" in reference)) return undefined;
  const { result } = reference;
  const { policy, retention } = result;
  return {
    id: `${id} reference`,
    settings: { ...settings, policy, retention, options: {} },
    run: { phase: "done", result },
  };
}

/** What the lanes of a comparison are compared with: the full lane, else the reference that they share. */
export function lanesReference(lanes: readonly Attempt[]): {
  readonly full: Attempt | undefined;
  readonly answer: string | undefined;
} {
  const full = lanes.find(({ run }) => run.phase === "done" && isFull(run.result));
  const shared = lanes.map(ownReference).find((found) => found !== undefined);
  const run = (full ?? shared)?.run;
  return { full, answer: run?.phase === "done" ? run.result.answer : undefined };
}

function wholeReference({ attempts }: Exchange, attempt: Attempt): Attempt | undefined {
  const { settings } = attempt;
  return attempts.findLast(
    (each) =>
      isWhole(each.run) &&
      !each.run.result.appended &&
      !each.hidden &&
      isAlike(each.run.origin, originIn(attempt)) &&
      sameSettings(each.settings, settings),
  );
}

/** Whether the full cache gave it: under a cap, it lacks rows of earlier turns. */
function isFull({ retention, reference, kvBytes }: TurnResult): boolean {
  return retention === 1 && reference === undefined && kvBytes.end >= kvBytes.full;
}

function originIn({ run }: Attempt): Origin | undefined {
  return run.phase === "done" ? run.origin : undefined;
}

/** Whether it ended without being stopped. */
function isWhole(run: Run): run is Extract<Run, { phase: "done" }> {
  return run.phase === "done" && run.result.finish !== "cancelled";
}
