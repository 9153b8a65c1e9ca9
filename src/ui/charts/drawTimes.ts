/** User timings that `npm run bench` and the tests observe: one per drawing of a chart. */
const CHART_DRAW = "keepsight chart";

/** Starts to time a drawing; call the result at its end. The entry goes to observers and is not kept. */
export function timed(): () => void {
  const start = performance.now();
  return () => {
    performance.measure(CHART_DRAW, { start });
    performance.clearMeasures(CHART_DRAW);
  };
}
