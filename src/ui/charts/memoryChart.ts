import uPlot from "uplot";
import { texts } from "@/language/language";
import type { Charts } from "@/store/engine/charts";
import { formatBytes } from "@/text/format";
import { chartInk, drawAbove, drawLabel, drawRule, FRAME, type Ink, LABEL_PADDING } from "./ink";
import type { ChartSource } from "./LiveChart";

/** Largest ratio of the cap to the highest value at which it is drawn to scale. */
const CAP_IN_SIGHT = 2;

/**
 * KV bytes as a step line over working seconds, the full cache dotted above it.
 * @param cap bytes that the conversation may take, drawn as a line
 */
export function memoryChart(charts: Charts, cap?: number): ChartSource {
  const { memory } = charts;
  const at = (column: number, index: number) => memory.view()[column]?.[index];
  return {
    version: () => memory.version,
    subscribe: charts.subscribe,
    isEmpty: () => !memory.view()[2]?.some((full) => full > 0),
    data: () => memory.view() as unknown as uPlot.AlignedData,
    readout(index) {
      const seconds = at(0, index);
      const bytes = at(1, index);
      if (seconds === undefined || bytes === undefined) return undefined;
      const full = at(2, index) ?? 0;
      return `${seconds.toFixed(2)} s  ${texts.charts.of(formatBytes(bytes), formatBytes(full))}`;
    },
    options(host) {
      const ink = chartInk(host);
      const steps = uPlot.paths.stepped?.({ align: 1 });
      const stepped = steps ? { paths: steps } : {};
      return {
        scales: {
          x: { time: false, range: (_, min, max) => [min ?? 0, max > min ? max : (min ?? 0) + 1] },
          y: { range: (_, __, max) => [0, top(max || 1, cap)] },
        },
        ...FRAME,
        padding: LABEL_PADDING,
        series: [
          {},
          {
            stroke: ink.accent,
            fill: ink.accentSoft,
            width: 1.6,
            points: { show: false },
            ...stepped,
          },
          { stroke: ink.reference, dash: [2, 4], width: 1, points: { show: false }, ...stepped },
        ],
        hooks: {
          draw: [
            (chart) => {
              drawMarks(chart, ink, charts);
              drawFull(chart, ink, memory.view()[2]);
              if (cap !== undefined) drawCap(chart, ink, cap);
            },
          ],
        },
      };
    },
  };
}

/** Upper end of the byte scale: a little above the highest line, so that the whole of it is seen. */
function top(max: number, cap: number | undefined): number {
  const isCapInSight = cap !== undefined && cap <= max * CAP_IN_SIGHT;
  return (isCapInSight ? Math.max(max, cap) : max) * 1.03;
}

/** The newest value of the dotted line, above its end. */
export function drawFull(chart: uPlot, ink: Ink, full: ArrayLike<number> | undefined): void {
  const last = full?.[full.length - 1] ?? 0;
  if (last === 0) return;
  const text = texts.charts.full(formatBytes(last));
  drawAbove(chart, ink, { text, color: ink.text, align: "right" });
}

/** The cap as a line at its height; only as a number if it is far above all values. */
function drawCap(chart: uPlot, ink: Ink, cap: number): void {
  if (cap <= (chart.scales.y?.max ?? 0)) drawRule(chart, cap, ink.warning);
  drawAbove(chart, ink, { text: texts.charts.cap(formatBytes(cap)), color: ink.warning });
}

/** The baseline, the labels of the marks under it, and the time at the right end. */
function drawMarks(chart: uPlot, ink: Ink, { store }: Charts): void {
  drawRule(chart, 0, ink.grid);
  const { bbox, ctx } = chart;
  const y = bbox.top + bbox.height + 14 * devicePixelRatio;
  const end = `${(chart.scales.x?.max ?? 0).toFixed(1)} s`;
  const right = bbox.left + bbox.width;
  drawLabel(chart, ink, { text: end, x: right, y, color: ink.text, align: "right" });
  ctx.font = ink.font;
  const gap = 6 * devicePixelRatio;
  const limit = right - ctx.measureText(end).width - 14 * devicePixelRatio;
  const { marks } = store.getState();
  for (const { at, kind } of marks) {
    if (kind !== "end") drawTick(chart, ink, chart.valToPos(at, "x", true));
  }
  const taken: { readonly from: number; readonly to: number }[] = [];
  // The compaction label has priority; the prefill label is drawn if there is space beside it.
  for (const named of ["compact", "prefill"] as const) {
    for (const { at, kind } of marks) {
      if (kind !== named) continue;
      const text = texts.charts.marks[kind];
      const width = ctx.measureText(text).width;
      const place = chart.valToPos(at, "x", true);
      // Most of the time goes into the prefill, so its end is often close to the chart's.
      const wanted = kind === "prefill" ? place - width : Math.min(place, limit - width);
      const x = Math.max(bbox.left, wanted);
      const overlaps = taken.some(({ from, to }) => x < to && x + width > from);
      if (overlaps || x + width > limit) continue;
      drawLabel(chart, ink, { text, x, y, color: ink.text });
      taken.push({ from: x - gap, to: x + width + gap });
    }
  }
}

/** Position of a mark on the baseline. */
function drawTick({ ctx, bbox }: uPlot, ink: Ink, x: number): void {
  const floor = bbox.top + bbox.height;
  ctx.fillStyle = ink.text;
  ctx.fillRect(Math.round(x), floor - 4 * devicePixelRatio, devicePixelRatio, 4 * devicePixelRatio);
}
