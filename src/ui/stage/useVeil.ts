import { type RefObject, useEffect } from "react";
import type { ImageLayout } from "@/protocol/engine";
import { onThemeChange, tokenColor } from "../color";
import { drawVeil } from "./drawVeil";

/** Keeps a canvas drawn: on new rows, on another size, on another theme. */
export function useVeil(
  canvas: RefObject<HTMLCanvasElement | null>,
  layout: ImageLayout | undefined,
  share: ReadonlyMap<number, number> | undefined,
): void {
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    if (!layout || !share) {
      element.getContext("2d")?.clearRect(0, 0, element.width, element.height);
      return;
    }
    const draw = () => {
      const ink = { veil: tokenColor(document.body, "--veil"), outline: "" };
      drawVeil(element, layout, share, ink);
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    const unsubscribe = onThemeChange(draw);
    return () => {
      observer.disconnect();
      unsubscribe();
    };
  }, [canvas, layout, share]);
}
