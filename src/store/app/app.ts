import type { Hub } from "@/hub/hub";
import type { Engine } from "@/protocol/engine";
import type { CacheSettings } from "@/protocol/request";
import { type AttentionView, createAttentionView } from "../attention/attentionView";
import { storageFolder } from "../chat/cacheFiles";
import { type Chat, createChat } from "../chat/chat";
import { type ComparisonSetup, createComparisonSetup } from "../chat/comparisonSetup";
import { createImagePrice, type ImagePriceStore } from "../chat/imagePrice";
import { createKeptCaches, type KeptCaches } from "../chat/keptCaches";
import { createPreview, type PreviewStore } from "../chat/preview";
import { createSweep, type Sweep } from "../chat/sweep";
import { askedBefore } from "../conversation/conversation";
import { withoutPatches } from "../conversation/occlusion";
import { type Charts, createCharts } from "../engine/charts";
import { createLoad, type Load } from "../engine/load";
import { loadedModel } from "../engine/model";
import { fetchSamples } from "../images/samples";
import { createViewer, type Viewer } from "../images/viewer";
import { createArchive } from "../library/archive";
import { createLibrary, type Library } from "../library/library";
import { createOwnership } from "../library/ownership";
import { createPersistence } from "../library/persistence";
import { createUndrawn, type UndrawnOptions } from "../library/undrawn";
import { createModels, type Models } from "../models/models";
import type { SharedQuestion } from "../settings/address";
import type { PolicyInfo } from "../settings/policyInfo";
import {
  cacheSettings,
  createSettingsStore,
  loadTypes,
  questionSettings,
  type SettingsState,
  type SettingsStore,
} from "../settings/settings";
import { type Calibration, createCalibration } from "./calibration";
import { newId } from "./newId";

/** The page's state and actions; the components' only interface to the rest. */
export interface App {
  readonly policies: readonly PolicyInfo[];
  readonly settings: SettingsStore;
  readonly load: Load;
  readonly chat: Chat;
  readonly charts: Charts;
  /** The word and the patches that the user points at. */
  readonly attentionView: AttentionView;
  readonly viewer: Viewer;
  readonly library: Library;
  readonly caches: KeptCaches;
  readonly models: Models;
  /** Lanes of the next comparison. */
  readonly comparison: ComparisonSetup;
  /** Rows that the next settings would keep of the last prompt. */
  readonly preview: PreviewStore;
  /** What the images before the next question add to it. */
  readonly imagePrice: ImagePriceStore;
  readonly calibration: Calibration;
  /** The question at falling shares. */
  readonly sweep: Sweep;
  /** Starts the engine and shows the first sample. */
  start(): void;
  /** Settings of the next question. */
  next(): CacheSettings;
  /**
   * Asks with the next settings, or in lanes if comparing is on. A question that was asked before,
   * word for word, is answered again in its place: as a new turn, the model would read its own answer.
   */
  ask(question: string): void;
  /** Replaces a question and asks the new one, with the next settings or in lanes. */
  edit(exchangeId: string, question: string): void;
  /** Answers an earlier question again, in lanes. */
  compareAgain(exchangeId: string): void;
}

export interface AppOptions extends UndrawnOptions {
  readonly connect: () => Promise<Engine>;
  readonly policies: readonly PolicyInfo[];
  /** Folder of the embedded model. */
  readonly modelUrl: string;
  readonly hub: Hub;
  /** Id of a model of the Hub to start with, if the browser keeps it; otherwise to look up. */
  readonly modelId?: string;
  readonly samplesUrl: string;
  readonly settings?: Partial<SettingsState>;
  /** Initial sample; default: the first one. */
  readonly sampleId?: string;
  /** Asked in a new conversation about the sample when the page is opened. */
  readonly shared?: SharedQuestion;
}

export function createApp(options: AppOptions): App {
  const { policies } = options;
  const settings = createSettingsStore(options.settings);
  const charts = createCharts();
  const embedded = { baseUrl: options.modelUrl };
  const load = createLoad(
    async () => {
      const engine = await options.connect();
      engine.subscribe((event) => chat.record(event));
      return engine;
    },
    embedded,
    () => performance.now(),
    () => loadTypes(settings.getState()),
  );
  settings.subscribe(({ weights, cacheType }, before) => {
    if (weights !== before.weights || cacheType !== before.cacheType) void load.reload();
  });
  const caches = createKeptCaches(storageFolder("caches"));
  const chat = createChat({
    load,
    charts,
    sampling: () => settings.getState().sampling,
    wantsReference: () => settings.getState().comparesWithFull,
    newId,
    now: () => Date.now(),
    hidePatches: withoutPatches,
    caches,
  });
  const attentionView = createAttentionView(chat);
  const archive = createArchive();
  const ownership = createOwnership();
  const undrawn = createUndrawn(options);
  const now = () => Date.now();
  const persist = createPersistence(options.storage);
  const library = createLibrary({
    ...{ archive, chat, policies, ownership, undrawn, caches, persist, newId, now },
  });
  const models = createModels({ hub: options.hub, load, embedded, begin: library.begin });
  const next = () => questionSettings(settings.getState(), policies);
  const comparison = createComparisonSetup(settings, policies, newId);
  const preview = createPreview({ load, chat, settings, next });
  const viewer = createViewer({ chat, load, newId, now: () => Date.now() });
  // Without documents: the search uses single pages, like the model's training data.
  const pages = () =>
    viewer.store.getState().samples.filter((sample) => sample.pages === undefined);
  const calibration = createCalibration(load, pages);
  const ofLanes = () => cacheSettings(settings.getState(), policies);
  const sweep = createSweep(
    chat,
    ofLanes,
    () => settings.getState().sampling,
    () => loadedModel(load.store.getState()),
  );

  async function startGallery() {
    const samples = await fetchSamples(options.samplesUrl).catch(() => []);
    viewer.setSamples(samples);
    const first = samples.find(({ id }) => id === options.sampleId) ?? samples[0];
    const isWanted = () => viewer.choices() === 0;
    if (!options.shared && isWanted() && (await library.restore(options.sampleId, isWanted)))
      return;
    if (first && viewer.choices() === 0) await viewer.chooseSample(first.id);
    if (options.shared) askShared(options.shared);
  }

  function askShared({ question, lanes }: SharedQuestion) {
    if (lanes.length === 0) return chat.ask(question, next());
    const state = settings.getState();
    chat.compare(
      question,
      lanes.map((lane) => cacheSettings({ ...state, ...lane }, policies)),
    );
  }

  /** A function that sends a question with the settings at the time of this call. */
  function sender(question: string): () => void {
    const single = next();
    const again = () => askedBefore(chat.store.getState().conversation, question)?.id;
    if (!comparison.store.getState().isOn) {
      return () => {
        const asked = again();
        return asked ? chat.askAgain(asked, single) : chat.ask(question, single);
      };
    }
    const several = comparison.settings();
    comparison.asked();
    return () => {
      const asked = again();
      return asked ? chat.compareAgain(asked, several) : chat.compare(question, several);
    };
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
      void models.start(options.modelId);
    },
    next,
    ask(question) {
      const send = sender(question);
      // If the image is still loading, the question waits for it.
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
    caches,
    models,
    comparison,
    preview,
    imagePrice: createImagePrice(load, chat),
    calibration,
    sweep,
  };
}
