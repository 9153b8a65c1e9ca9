import { createStore } from "zustand/vanilla";
import type { CacheSettings } from "@/protocol/request";
import type { LayerReport } from "@/protocol/result";
import { type Attempt, standingAttempt } from "../conversation/conversation";
import type { Load } from "../engine/load";
import type { ReadonlyStore } from "../readonlyStore";
import { type SettingsStore, sameSettings } from "../settings/settings";
import type { Chat } from "./chat";

/** Rows that the next settings would keep of the last answered prompt. */
interface Preview {
  readonly settings: CacheSettings;
  readonly layers: readonly LayerReport[];
  readonly kvBytes: number;
}

export type PreviewStore = ReadonlyStore<{ readonly preview: Preview | undefined }>;

interface PreviewOptions {
  readonly load: Load;
  readonly chat: Chat;
  readonly settings: SettingsStore;
  readonly next: () => CacheSettings;
  readonly delayMs?: number;
}

/** Delay that limits the requests of a moving slider and still responds quickly. */
const DELAY_MS = 80;

/**
 * Asks the engine what other settings would keep, from the recorded attention, without running the
 * model. If a tap that the policy needs was not recorded, there is no preview; this is not a
 * failure.
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

  // Only a changed setting requests a preview: a new answer shows its own rows, whatever its
  // settings.
  settings.subscribe((state, before) => {
    const keys = ["policy", "keepPercent", "scope", "options"] as const;
    if (keys.some((key) => state[key] !== before[key])) schedule();
  });
  chat.store.subscribe((state, before) => {
    const isNew = state.conversation.id !== before.conversation.id;
    if (!isNew && state.running === before.running) return;
    // The shown preview belongs to a prompt that is being replaced.
    clearTimeout(timer);
    asked += 1;
    store.setState({ preview: undefined });
  });
  return store;
}

/**
 * Rows per layer of the engine's last prompt; undefined if there is nothing to preview: during an
 * answer, with the same settings, or after a turn without an image.
 */
function previewableRows(chat: Chat, next: CacheSettings): readonly number[] | undefined {
  const { conversation, running } = chat.store.getState();
  const exchange = conversation.exchanges.at(-1);
  const last = exchange && standingAttempt(exchange);
  if (running || exchange?.attempts.at(-1)?.run.phase !== "done") return undefined;
  if (last?.run.phase !== "done") return undefined;
  // Another question may have been answered since: the engine previews the prompt that it ran last.
  const starts = conversation.exchanges.flatMap(({ attempts }) => attempts.map(startOf));
  if (startOf(last) < Math.max(...starts)) return undefined;
  const { result } = last.run;
  // An appended turn recorded only its own rows, not the image's.
  if (result.appended || result.images.length === 0 || sameSettings(last.settings, next))
    return undefined;
  return result.layers.map((layer) => layer.rowsBefore);
}

/** When an answer was begun; 0 if that is not known. */
function startOf({ run }: Attempt): number {
  return run.phase === "done" ? (run.origin?.startedAt ?? 0) : 0;
}
