import { createStore } from "zustand/vanilla";
import type { CacheSettings, LayerReport } from "@/protocol/engine";
import { standingAttempt } from "../conversation/conversation";
import type { Load } from "../engine/load";
import type { ReadonlyStore } from "../readonlyStore";
import { type SettingsStore, sameSettings } from "../settings/settings";
import type { Chat } from "./chat";

/** What the next settings would keep of the prompt that was answered last. */
export interface Preview {
  readonly settings: CacheSettings;
  readonly layers: readonly LayerReport[];
  readonly kvBytes: number;
}

export type PreviewStore = ReadonlyStore<{ readonly preview: Preview | undefined }>;

export interface PreviewOptions {
  readonly load: Load;
  readonly chat: Chat;
  readonly settings: SettingsStore;
  readonly next: () => CacheSettings;
  readonly delayMs?: number;
}

/** Long enough that a moving slider asks once in a while, short enough to feel direct. */
const DELAY_MS = 80;

/**
 * Asks the engine what other settings would keep, from the attention that it recorded: no model
 * runs. Where nothing is recorded that the policy needs, there is no preview, and that is no failure.
 */
export function createPreview(options: PreviewOptions): PreviewStore {
  const { load, chat, settings, next, delayMs = DELAY_MS } = options;
  const store = createStore<{ readonly preview: Preview | undefined }>(() => ({
    preview: undefined,
  }));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  async function update() {
    asked += 1;
    const mine = asked;
    const engine = load.engine();
    const wanted = next();
    const rowsBefore = previewableRows(chat, wanted);
    if (!engine || rowsBefore === undefined) return store.setState({ preview: undefined });
    const found = await engine.preview(wanted).catch(() => undefined);
    if (mine !== asked) return;
    store.setState({
      preview: found && {
        settings: wanted,
        kvBytes: found.kvBytes,
        layers: found.layers.map(({ rows, kept }, layer) => ({
          rowsBefore: rowsBefore[layer] ?? 0,
          rowsAfter: rows,
          kept,
        })),
      },
    });
  }

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(() => void update(), delayMs);
  }

  // Only a changed setting asks for a preview: an answer that has just come shows its own rows,
  // under whatever settings it was given.
  settings.subscribe((state, before) => {
    const keys = ["policy", "keepPercent", "scope", "options"] as const;
    if (keys.some((key) => state[key] !== before[key])) schedule();
  });
  chat.store.subscribe((state, before) => {
    const isNew = state.conversation.id !== before.conversation.id;
    if (!isNew && state.running === before.running) return;
    // What is shown belongs to a prompt that is being replaced.
    clearTimeout(timer);
    asked += 1;
    store.setState({ preview: undefined });
  });
  return store;
}

/**
 * Rows per layer of the prompt that the engine remembers; undefined where a preview would say
 * nothing: while it answers, under the same settings, and after a turn that brought no image.
 */
function previewableRows(chat: Chat, next: CacheSettings): readonly number[] | undefined {
  const { conversation, running } = chat.store.getState();
  const exchange = conversation.exchanges.at(-1);
  const last = exchange && standingAttempt(exchange);
  if (running || exchange?.attempts.at(-1)?.run.phase !== "done") return undefined;
  if (last?.run.phase !== "done") return undefined;
  const { result } = last.run;
  // An appended turn recorded its own few rows, not the image's.
  if (result.appended || result.images.length === 0 || sameSettings(last.settings, next))
    return undefined;
  return result.layers.map((layer) => layer.rowsBefore);
}
