import { createContext, useContext, useSyncExternalStore } from "react";
import { useStore } from "zustand/react";
import type { StoreApi } from "zustand/vanilla";
import type { ImageWords } from "@/language/en/viewer";
import { onLanguageChange, type Texts, texts } from "@/language/language";
import type { App } from "@/store/app/app";
import type { ChatState } from "@/store/chat/chatState";
import type { ConversationImage } from "@/store/conversation/conversation";
import { viewerImage } from "@/store/conversation/conversationImages";
import type { ChartsState } from "@/store/engine/charts";
import type { ModelState } from "@/store/engine/model";
import { sampleWords } from "@/store/images/samples";
import type { ViewerState } from "@/store/images/viewerState";
import type { ModelsState } from "@/store/models/models";
import type { SettingsState } from "@/store/settings/settings";

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("useApp needs an AppContext above it");
  return app;
}

export function useSettings<T>(select: (state: SettingsState) => T): T {
  return useStore(useApp().settings, select);
}

export function useChat<T>(select: (state: ChatState) => T): T {
  return useStore(useApp().chat.store, select);
}

export function useModel<T>(select: (state: ModelState) => T): T {
  return useStore(useApp().load.store as StoreApi<ModelState>, select);
}

export function useModels<T>(select: (state: ModelsState) => T): T {
  return useStore(useApp().models.store as StoreApi<ModelsState>, select);
}

export function useCharts<T>(select: (state: ChartsState) => T): T {
  return useStore(useApp().charts.store, select);
}

export function useViewer<T>(select: (state: ViewerState) => T): T {
  return useStore(useApp().viewer.store, select);
}

/** Title and description of images; a sample's are in the language of the page. */
export function useImageWords(): (image: ConversationImage) => ImageWords {
  const samples = useViewer((state) => state.samples);
  return ({ sampleId, title, alt }) => {
    const sample = samples.find(({ id, pages }) => id === sampleId && !pages);
    return sample ? sampleWords(sample) : { title, alt };
  };
}

/** The image in the viewer. */
export function useViewerImage(): ConversationImage | undefined {
  const chosen = useViewer((state) => state.imageId);
  return useChat((state) => viewerImage(state.conversation, chosen));
}

/**
 * The texts of the page, for the root and for components that skip rendering (`memo`): they render again in
 * another language. All others are below and read `texts`.
 */
export function useTexts(): Texts {
  return useSyncExternalStore(onLanguageChange, () => texts);
}
