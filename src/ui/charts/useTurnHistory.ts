import { useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { standingAttempts, type TurnPoint, turnHistory } from "@/store/chat/turnHistory";
import { useChat } from "../useApp";

/** The conversation's answered turns; the same array until one is added or answered again. */
export function useTurnHistory(): readonly TurnPoint[] {
  const standing = useChat(useShallow(({ conversation }) => standingAttempts(conversation)));
  return useMemo(() => turnHistory(standing), [standing]);
}
