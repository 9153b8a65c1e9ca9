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
  readonly surface: string;
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
    surface: color("--surface"),
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

export interface Label {
  readonly text: string;
  /** Device pixels. */
  readonly x: number;
  readonly y: number;
  readonly color: string;
  readonly align?: CanvasTextAlign;
}

/** Writes on a chart's canvas; labels are next to their lines, so there is no legend. */
export function drawLabel({ ctx }: uPlot, ink: Ink, label: Label): void {
  ctx.save();
  ctx.font = ink.font;
  ctx.fillStyle = label.color;
  ctx.textAlign = label.align ?? "left";
  ctx.textBaseline = "alphabetic";
  // An outline in the background colour, so that lines do not cross the text.
  ctx.strokeStyle = ink.surface;
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeText(label.text, label.x, label.y);
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

/** The values of the hairlines, over the lines of the chart; the highest has the unit. */
export function drawScale(chart: uPlot, ink: Ink, unit: string): void {
  const right = chart.bbox.left + chart.bbox.width;
  const gap = 4 * devicePixelRatio;
  const values = scaleValues(chart);
  for (const value of values) {
    const y = Math.round(chart.valToPos(value, "y", true)) - gap;
    const text = value === values.at(-1) ? `${value} ${unit}` : String(value);
    drawLabel(chart, ink, { text, x: right, y, color: ink.text, align: "right" });
  }
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
