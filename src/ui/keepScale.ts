/** The keep slider's scale: ticks at equal distances, logarithmic between two of them. */
export const KEEP_TICKS = [100, 50, 20, 10, 5, 1] as const;

/** Steps of the slider between two ticks. */
const STEPS = 100;
export const KEEP_STEPS = STEPS * (KEEP_TICKS.length - 1);

/** Place on the slider, 0 at 100 % to `KEEP_STEPS` at 1 %. */
export function placeOfPercent(percent: number): number {
  for (let tick = 0; tick < KEEP_TICKS.length - 1; tick++) {
    const high = KEEP_TICKS[tick]!;
    const low = KEEP_TICKS[tick + 1]!;
    if (percent >= low) return (tick + Math.log(high / percent) / Math.log(high / low)) * STEPS;
  }
  return KEEP_STEPS;
}

/** Whole percent at a place of the slider. */
export function percentOfPlace(place: number): number {
  const tick = Math.min(Math.floor(place / STEPS), KEEP_TICKS.length - 2);
  const high = KEEP_TICKS[tick]!;
  const low = KEEP_TICKS[tick + 1]!;
  return Math.round(high * (low / high) ** (place / STEPS - tick));
}

/** The next percent in the direction of a key press: 1 below 20, 5 from there on. */
export function stepPercent(percent: number, direction: 1 | -1): number {
  const size = percent > 20 || (percent === 20 && direction === 1) ? 5 : 1;
  const next = direction === 1 ? Math.floor(percent / size) + 1 : Math.ceil(percent / size) - 1;
  return Math.min(100, Math.max(1, next * size));
}
