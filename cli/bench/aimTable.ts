import { type Aim, aimsOf, type Figures } from "./aims";
import type { Report } from "./report";

/** One line per aim, and their count. */
export function aimLines(aims: readonly Aim[]): readonly string[] {
  const width = Math.max(...aims.map(({ what }) => what.length));
  const lines = aims.map(({ what, aim, measured, isMet }) => {
    const mark = isMet === undefined ? "  – " : isMet ? "met " : "MISS";
    return `${mark}  ${what.padEnd(width)}  ${aim.padEnd(15)} ${measured ?? "not measured"}`;
  });
  const count = (met: boolean | undefined) => aims.filter(({ isMet }) => isMet === met).length;
  return [...lines, `${count(true)} met, ${count(false)} missed, ${count(undefined)} not measured`];
}

/** The aims that the report has figures for; all of them if `isComplete`. */
export function tellAims(report: Report, isComplete: boolean): void {
  const aims = aimsOf(report.figures as Figures);
  const told = isComplete ? aims : aims.filter(({ measured }) => measured !== undefined);
  if (told.length === 0) return;
  report.set(["aims"], told);
  report.line("\nAims (docs/performance.md):");
  for (const line of aimLines(told)) report.line(line);
}
