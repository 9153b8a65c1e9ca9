import { type RefObject, useEffect } from "react";
import type { ImageLayout } from "@/protocol/result";
import { onLookChange, tokenColor } from "../color";
import { keptInk } from "./drawKeptRows";
import { drawOverlay } from "./drawOverlay";
import type { Overlay } from "./overlay";

/** Keeps a canvas drawn: on another overlay, on another size, on another theme. */
export function useOverlay(
  canvas: RefObject<HTMLCanvasElement | null>,
  layout: ImageLayout | undefined,
  overlay: Overlay | undefined,
): void {
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    if (!layout || !overlay) {
      element.getContext("2d")?.clearRect(0, 0, element.width, element.height);
      return;
    }
    const color = (token: string) => tokenColor(document.body, token);
    const draw = () =>
      drawOverlay(element, layout, overlay, {
        overlay: color("--overlay"),
        ...keptInk(),
        accent: color("--accent"),
        warn: color("--warn"),
        mark: color("--ink"),
        surface: color("--surface"),
      });
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    const unsubscribe = onLookChange(draw);
    return () => {
      observer.disconnect();
      unsubscribe();
    };
  }, [canvas, layout, overlay]);
}
