import { useEffect } from "react";
import { useApp } from "./useApp";

/** `[` and `]` change the layer from anywhere but a text field. */
export function LayerKeys() {
  const { settings, load } = useApp();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const step = event.key === "]" ? 1 : event.key === "[" ? -1 : 0;
      const isTyping =
        event.target instanceof HTMLElement &&
        event.target.matches("input:not([type=radio], [type=range]), textarea, select");
      if (step === 0 || isTyping || event.ctrlKey || event.metaKey) return;
      const model = load.store.getState();
      const layers = model.phase === "ready" ? model.info.layers : 1;
      settings.stepLayer(step, layers);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [settings, load]);
  return null;
}
