import type uPlot from "uplot";
import { tokenColor } from "../color";

/** The page's colours and type, for a canvas. */
export interface Ink {
  readonly accent: string;
  readonly accentSoft: string;
  readonly reference: string;
  readonly grid: string;
  readonly text: string;
  readonly warning: string;
  readonly font: string;
}

export function chartInk(host: HTMLElement): Ink {
  const color = (token: string) => tokenColor(host, token);
  const family = getComputedStyle(document.documentElement).getPropertyValue("--numbers");
  return {
    accent: color("--accent"),
    accentSoft: color("--accent-soft"),
    reference: color("--edge"),
    grid: color("--line"),
    text: color("--ink3"),
    warning: color("--warn"),
    font: `${12 * devicePixelRatio}px ${family}`,
  };
}

/** Options of every chart: room for labels under the baseline, no axes and no legend, a cursor in x. */
export const FRAME = {
  axes: [
    { show: true, size: 18, ticks: { show: false }, grid: { show: false }, values: () => [] },
    { show: false },
  ],
  legend: { show: false },
  cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
} satisfies Partial<uPlot.Options>;

interface Label {
  readonly text: string;
  /** Device pixels. */
  readonly x: number;
  readonly y: number;
  readonly color: string;
  readonly align?: CanvasTextAlign;
}

/** Writes on a chart's canvas, beside or above the plot: no line crosses it there. */
export function drawLabel({ ctx }: uPlot, ink: Ink, label: Label): void {
  ctx.save();
  ctx.font = ink.font;
  ctx.fillStyle = label.color;
  ctx.textAlign = label.align ?? "left";
  ctx.textBaseline = "alphabetic";
  ctx.fillText(label.text, label.x, label.y);
  ctx.restore();
}

/** A horizontal hairline at a value of the y scale, over the whole width. */
export function drawRule(chart: uPlot, value: number, color: string, dash: number[] = []): number {
  const { ctx, bbox } = chart;
  const y = Math.round(chart.valToPos(value, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
  return y;
}

/** Hairlines at round values from zero on, under the lines of the chart. */
export function drawRules(chart: uPlot, ink: Ink): void {
  for (const value of [0, ...scaleValues(chart)]) drawRule(chart, value, ink.grid);
}

/** CSS pixels beside a plot for the values of its hairlines: `1000 ms`. */
const SCALE_ROOM = 56;
/** CSS pixels above a plot for one line of labels. */
const LABEL_ROOM = 16;

/** Padding of a chart that writes its scale: no line can cross it there. */
export const SCALE_PADDING: uPlot.Padding = [8, SCALE_ROOM, 0, 0];
/** Padding of a chart whose labels stand above it. */
export const LABEL_PADDING: uPlot.Padding = [LABEL_ROOM, 0, 0, 0];

/** The values of the hairlines, right of the plot; the highest has the unit. */
export function drawScale(chart: uPlot, ink: Ink, unit: string): void {
  const x = chart.bbox.left + chart.bbox.width + 6 * devicePixelRatio;
  const values = scaleValues(chart);
  for (const value of values) {
    const y = Math.round(chart.valToPos(value, "y", true)) + 4 * devicePixelRatio;
    const text = value === values.at(-1) ? `${value} ${unit}` : String(value);
    drawLabel(chart, ink, { text, x, y, color: ink.text });
  }
}

/** A label above the plot, at its left or right end. */
export function drawAbove(chart: uPlot, ink: Ink, label: Omit<Label, "x" | "y">): void {
  const { left, top, width } = chart.bbox;
  const x = label.align === "right" ? left + width : left;
  drawLabel(chart, ink, { ...label, x, y: top - 4 * devicePixelRatio });
}

/** Round values above zero, up to the highest on the scale. */
function scaleValues(chart: uPlot): readonly number[] {
  const max = chart.scales.y?.max ?? 1;
  const step = niceStep(max);
  return Array.from({ length: Math.floor(max / step) }, (_, index) => (index + 1) * step);
}

/** A round distance that puts one to three rules between 0 and `max`. */
function niceStep(max: number): number {
  const least = max / 3.5;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}
