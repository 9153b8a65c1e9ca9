import type { CacheSettings, Engine } from "@/protocol/engine";
import { type AttentionView, createAttentionView } from "../attention/attentionView";
import { type Chat, createChat } from "../chat/chat";
import { type ComparisonSetup, createComparisonSetup } from "../chat/comparisonSetup";
import { createPreview, type PreviewStore } from "../chat/preview";
import { withoutPatches } from "../conversation/occlusion";
import { type Charts, createCharts } from "../engine/charts";
import { createLoad, type Load } from "../engine/load";
import { fetchSamples } from "../images/samples";
import { createViewer, type Viewer } from "../images/viewer";
import { createArchive } from "../library/archive";
import { createLibrary, type Library } from "../library/library";
import type { PolicyInfo } from "../settings/policyInfo";
import {
  cacheSettings,
  createSettingsStore,
  type SettingsState,
  type SettingsStore,
} from "../settings/settings";
import { type Calibration, createCalibration } from "./calibration";

/** Everything behind the page; the page's components know nothing else. */
export interface App {
  readonly policies: readonly PolicyInfo[];
  readonly settings: SettingsStore;
  readonly load: Load;
  readonly chat: Chat;
  readonly charts: Charts;
  /** The word and the patches that somebody looks at. */
  readonly attentionView: AttentionView;
  readonly viewer: Viewer;
  readonly library: Library;
  /** What the next comparison compares. */
  readonly comparison: ComparisonSetup;
  /** What the next settings would keep of the last prompt. */
  readonly preview: PreviewStore;
  readonly calibration: Calibration;
  /** Starts the engine and shows the first sample. */
  start(): void;
  /** Settings of the next question. */
  next(): CacheSettings;
  /** Asks under the next settings, or in lanes where comparing is on. */
  ask(question: string): void;
  /** Asks another question in the place of one, under the next settings or in lanes. */
  edit(exchangeId: string, question: string): void;
  /** Answers a question that was asked before in lanes. */
  compareAgain(exchangeId: string): void;
}

export interface AppOptions {
  readonly connect: () => Promise<Engine>;
  readonly policies: readonly PolicyInfo[];
  readonly modelUrl: string;
  readonly samplesUrl: string;
  readonly settings?: Partial<SettingsState>;
  /** Sample to begin with; the first otherwise. */
  readonly sampleId?: string;
}

export function createApp(options: AppOptions): App {
  const { policies } = options;
  const newId = () => crypto.randomUUID();
  const settings = createSettingsStore(options.settings);
  const charts = createCharts();
  const load = createLoad(
    async () => {
      const engine = await options.connect();
      engine.subscribe((event) => chat.record(event));
      return engine;
    },
    { baseUrl: options.modelUrl },
    () => performance.now(),
  );
  const chat = createChat({
    load,
    charts,
    sampling: () => settings.getState().sampling,
    newId,
    now: () => Date.now(),
    hidePatches: withoutPatches,
  });
  const attentionView = createAttentionView(chat);
  const archive = createArchive();
  const library = createLibrary({ archive, chat, policies, newId, now: () => Date.now() });
  const next = () => cacheSettings(settings.getState(), policies);
  const comparison = createComparisonSetup(settings, policies, newId);
  const preview = createPreview({ load, chat, settings, next });
  const viewer = createViewer({ chat, load, newId, now: () => Date.now() });
  // Documents are left out: the search is over single pages, as the model was trained on them.
  const pages = () =>
    viewer.store.getState().samples.filter((sample) => sample.pages === undefined);
  const calibration = createCalibration(load, pages);

  async function startGallery() {
    const samples = await fetchSamples(options.samplesUrl).catch(() => []);
    viewer.setSamples(samples);
    const first = samples.find(({ id }) => id === options.sampleId) ?? samples[0];
    if (viewer.choices() === 0 && (await library.restore(options.sampleId))) return;
    if (first && viewer.choices() === 0) await viewer.chooseSample(first.id);
  }

  /** Sends a question under the settings of now, whenever that is. */
  function sender(question: string): () => void {
    const single = next();
    if (!comparison.store.getState().isOn) return () => chat.ask(question, single);
    const several = comparison.settings();
    comparison.asked();
    return () => chat.compare(question, several);
  }

  let gallery: Promise<void> = Promise.resolve();
  let isSettled = false;
  return {
    policies,
    settings,
    load,
    chat,
    charts,
    attentionView,
    viewer,
    start() {
      gallery = startGallery().finally(() => {
        isSettled = true;
      });
      void load.start();
    },
    next,
    ask(question) {
      const send = sender(question);
      // A question that is quicker than its image waits for it.
      if (isSettled && !viewer.store.getState().isReading) return send();
      void gallery.then(() => viewer.settled()).then(send);
    },
    edit(exchangeId, question) {
      const isComparing = comparison.store.getState().isOn;
      library.edit(exchangeId, question, isComparing ? comparison.settings() : [next()]);
      if (isComparing) comparison.asked();
    },
    compareAgain: (exchangeId) => chat.compareAgain(exchangeId, comparison.settings()),
    library,
    comparison,
    preview,
    calibration,
  };
}
