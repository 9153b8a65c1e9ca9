import { useStore } from "zustand/react";
import { attemptToTest } from "@/store/attention/looked";
import type { Picture } from "@/store/conversation/conversation";
import { useApp, useChat } from "../useApp";
import type { Pins } from "./PatchReadout";

/** The pinned patches of the picture in the viewer, and the question that is asked without them. */
export function usePins(picture: Picture | undefined): Pins {
  const { chat, look } = useApp();
  const positions = useStore(look.store, (state) => state.pinned);
  const canHide = useChat((state) => attemptToTest(state) !== undefined);
  return {
    positions,
    onToggle: look.togglePin,
    onClear: look.unpin,
    onHide:
      picture && canHide
        ? (patches) => {
            const tested = attemptToTest(chat.store.getState());
            if (!tested) return;
            look.unpin();
            chat.askWithout(tested.exchange.id, tested.attempt.settings, {
              picture: picture.id,
              patches: patches.map(({ position, box }) => ({ position, box })),
            });
          }
        : undefined,
  };
}
