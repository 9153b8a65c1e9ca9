import { useStore } from "zustand/react";
import { attemptToTest } from "@/store/attention/wordAttention";
import type { ConversationImage } from "@/store/conversation/conversation";
import { useApp, useChat } from "../useApp";
import type { Pins } from "./PatchReadout";

/** The pinned patches of the image in the viewer, and the question that is asked without them. */
export function usePins(image: ConversationImage | undefined): Pins {
  const { chat, attentionView } = useApp();
  const positions = useStore(attentionView.store, (state) => state.pinned);
  const canHide = useChat((state) => attemptToTest(state) !== undefined);
  return {
    positions,
    onToggle: attentionView.togglePin,
    onClear: attentionView.unpin,
    onHide:
      image && canHide
        ? (patches) => {
            const tested = attemptToTest(chat.store.getState());
            if (!tested) return;
            attentionView.unpin();
            chat.askWithout(tested.exchange.id, tested.attempt.settings, {
              image: image.id,
              patches: patches.map(({ position, box }) => ({ position, box })),
            });
          }
        : undefined,
  };
}
