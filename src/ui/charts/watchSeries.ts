/** Redraws for people who asked for less motion: a few steady states instead of a moving line. */
const CALM_INTERVAL_MS = 500;

/**
 * Calls `draw` on the frames before which `version` changed, while `element` is on the screen.
 * Off screen, and in a hidden tab, not even the comparison runs.
 */
export function watchSeries(
  element: HTMLElement,
  version: () => number,
  draw: () => void,
): () => void {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let drawn = version();
  let lastAt = 0;
  let frame = 0;

  function tick(now: number) {
    frame = requestAnimationFrame(tick);
    const current = version();
    if (current === drawn || (calm.matches && now - lastAt < CALM_INTERVAL_MS)) return;
    drawn = current;
    lastAt = now;
    draw();
  }

  const observer = new IntersectionObserver(([entry]) => {
    cancelAnimationFrame(frame);
    if (entry?.isIntersecting) frame = requestAnimationFrame(tick);
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
}
