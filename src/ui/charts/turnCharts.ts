import uPlot from "uplot";
import { texts } from "@/language/language";
import type { TurnPoint } from "@/store/chat/turnHistory";
import { formatBytes, formatMsNumber } from "@/text/format";
import {
  chartInk,
  drawLabel,
  drawRule,
  drawRules,
  drawScale,
  FRAME,
  type Ink,
  LABEL_PADDING,
  SCALE_PADDING,
} from "./ink";
import type { ChartSource } from "./LiveChart";
import { drawFull } from "./memoryChart";

/** Minimum number of places for turns, so that one bar does not fill the chart. */
const FEWEST_TURNS = 6;
/** Turns that are numbered one by one; of more, the first and the last. */
const MOST_NUMBERS = 12;
/** Bars take this share of their turn, and at most so many pixels. */
const BAR = [0.6, 40] as const;

/** Nothing changes while it is shown: a new turn makes new points, and those a new chart. */
const STILL = { version: () => 0, subscribe: () => () => undefined };

/** KV bytes at the end of each turn as a bar, with the full cache's bytes as a dotted line. */
export function turnBytesChart(points: readonly TurnPoint[]): ChartSource {
  const turns = points.map(({ turn }) => turn);
  const full = points.map(({ fullKvBytes }) => fullKvBytes);
  return {
    ...STILL,
    isEmpty: () => points.length === 0,
    data: () => [turns, points.map(({ kvBytes }) => kvBytes), full],
    readout(index) {
      const point = points[index];
      if (!point) return undefined;
      const { turn, of } = texts.charts;
      return `${turn(point.turn)}  ${of(formatBytes(point.kvBytes), formatBytes(point.fullKvBytes))}`;
    },
    options(host) {
      const ink = chartInk(host);
      const bars = uPlot.paths.bars?.({ size: [...BAR] });
      const draw = (chart: uPlot) => {
        drawRule(chart, 0, ink.grid);
        drawFullMarks(chart, ink, points);
        drawFull(chart, ink, full);
        drawTurns(chart, ink, turns);
      };
      const kept = { stroke: ink.accent, fill: ink.accentSoft, width: 1.6 };
      return {
        ...turnOptions(turns, 1.03),
        padding: LABEL_PADDING,
        series: [
          {},
          { ...kept, points: { show: false }, ...(bars ? { paths: bars } : {}) },
          { paths: () => null, points: { show: false } },
        ],
        hooks: { draw: [draw] },
      };
    },
  };
}

/** Median milliseconds per token of each turn; the last run with the full cache as a grey line. */
export function turnTimesChart(
  points: readonly TurnPoint[],
  fullMs: number | undefined,
): ChartSource {
  const turns = points.map(({ turn }) => turn);
  const times = points.map(({ msPerToken }) => msPerToken ?? null);
  const full = points.map(() => fullMs ?? null);
  return {
    ...STILL,
    isEmpty: () => points.length === 0,
    data: () => [turns, times, full],
    readout(index) {
      const ms = times[index];
      if (ms == null) return undefined;
      const { turn, full: fullCache } = texts.charts;
      const reference =
        fullMs === undefined ? "" : `  ${fullCache(`${formatMsNumber(fullMs)} ms`)}`;
      return `${turn(turns[index] ?? 0)}  ${formatMsNumber(ms)} ms${reference}`;
    },
    options(host) {
      const ink = chartInk(host);
      const drawAxes = (chart: uPlot) => {
        if (fullMs !== undefined) drawRule(chart, fullMs, ink.reference);
        drawRules(chart, ink);
      };
      const draw = (chart: uPlot) => {
        drawScale(chart, ink, "ms");
        drawTurns(chart, ink, turns);
      };
      const dots = { show: true, size: 6, fill: ink.accent };
      return {
        ...turnOptions(turns, 1.2),
        padding: SCALE_PADDING,
        series: [
          {},
          { stroke: ink.accent, width: 1.7, points: dots, spanGaps: true },
          { paths: () => null, points: { show: false } },
        ],
        hooks: { drawAxes: [drawAxes], draw: [draw] },
      };
    },
  };
}

/** Shared by both charts: one place per turn, and values from zero to a margin above the largest. */
function turnOptions(
  turns: readonly number[],
  air: number,
): Pick<uPlot.Options, "scales" | "axes" | "legend" | "cursor"> {
  const last = Math.max(FEWEST_TURNS, turns.at(-1) ?? 0);
  return {
    scales: {
      x: { time: false, range: () => [0.5, last + 0.5] },
      y: { range: (_, __, max) => [0, (max || 1) * air] },
    },
    ...FRAME,
  };
}

function drawFullMarks(chart: uPlot, ink: Ink, points: readonly TurnPoint[]): void {
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = ink.reference;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  for (const { turn, fullKvBytes } of points) {
    const y = Math.round(chart.valToPos(fullKvBytes, "y", true)) + 0.5;
    ctx.moveTo(chart.valToPos(turn - 0.5, "x", true), y);
    ctx.lineTo(chart.valToPos(turn + 0.5, "x", true), y);
  }
  ctx.stroke();
  ctx.restore();
}

/** The turns' numbers under their places. */
function drawTurns(chart: uPlot, ink: Ink, turns: readonly number[]): void {
  const y = chart.bbox.top + chart.bbox.height + 14 * devicePixelRatio;
  const shown = turns.length > MOST_NUMBERS ? [turns[0], turns.at(-1)] : turns;
  shown.forEach((turn, index) => {
    if (turn === undefined) return;
    const x = chart.valToPos(turn, "x", true);
    const text = index === 0 ? texts.charts.turn(turn) : String(turn);
    drawLabel(chart, ink, { text, x, y, color: ink.text, align: "center" });
  });
}
