/** Redraw interval with reduced motion. */
const CALM_INTERVAL_MS = 500;
/** Redraw interval otherwise. */
const INTERVAL_MS = 100;

/** What a chart is drawn from. */
export interface Samples {
  /** Grows with every change. */
  version(): number;
  /** Calls back after changes; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
}

interface Watch {
  /** Draws again although no sample has changed: another size, another theme. */
  invalidate(): void;
  stop(): void;
}

/**
 * Calls `draw` when samples have changed while `element` can be seen: not scrolled or folded away,
 * nor in a hidden tab. Out of sight a change costs one comparison, and nothing runs without one.
 */
export function watchSamples(element: HTMLElement, samples: Samples, draw: () => void): Watch {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let drawn: number | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let isOnScreen = false;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function request() {
    if (!isOnScreen || document.hidden || frame || timer || samples.version() === drawn) return;
    const rest = lastAt + (calm.matches ? CALM_INTERVAL_MS : INTERVAL_MS) - performance.now();
    if (rest > 0) timer = setTimeout(again, rest);
    else frame = requestAnimationFrame(paint);
  }

  function again() {
    timer = undefined;
    request();
  }

  function paint(now: number) {
    frame = 0;
    drawn = samples.version();
    lastAt = now;
    draw();
  }

  function rest() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = undefined;
  }

  function look() {
    if (isOnScreen && !document.hidden) request();
    else rest();
  }

  const observer = new IntersectionObserver((entries) => {
    isOnScreen = entries.at(-1)?.isIntersecting ?? false;
    look();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", look);
  const unsubscribe = samples.subscribe(request);
  return {
    invalidate() {
      drawn = undefined;
      lastAt = Number.NEGATIVE_INFINITY;
      clearTimeout(timer);
      timer = undefined;
      request();
    },
    stop() {
      observer.disconnect();
      document.removeEventListener("visibilitychange", look);
      unsubscribe();
      rest();
    },
  };
}
