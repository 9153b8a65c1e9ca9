import type { Hub } from "@/hub/hub";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import type { CacheSettings } from "@/protocol/request";
import { type AttentionView, createAttentionView } from "../attention/attentionView";
import { CACHES_FOLDER, storageFolder } from "../chat/cacheFiles";
import { type Chat, createChat } from "../chat/chat";
import { type ComparisonSetup, createComparisonSetup } from "../chat/comparisonSetup";
import { createImagePrice, type ImagePriceStore } from "../chat/imagePrice";
import { createPreview, type PreviewStore } from "../chat/preview";
import { createStoredCaches, type StoredCaches } from "../chat/storedCaches";
import { createSweep, type Sweep } from "../chat/sweep";
import { withoutPatches } from "../conversation/occlusion";
import { type Charts, createCharts } from "../engine/charts";
import { createLoad, type Load } from "../engine/load";
import { loadedModel } from "../engine/model";
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

/** The stores of the page, connected to each other. */
export interface AppParts {
  readonly policies: readonly PolicyInfo[];
  readonly settings: SettingsStore;
  readonly load: Load;
  readonly chat: Chat;
  readonly charts: Charts;
  /** The word and the patches that the user points at. */
  readonly attentionView: AttentionView;
  readonly viewer: Viewer;
  readonly library: Library;
  readonly caches: StoredCaches;
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
  /** Settings of the next question. */
  next(): CacheSettings;
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

export function createParts(options: AppOptions): AppParts {
  const { policies } = options;
  const settings = createSettingsStore(options.settings);
  const charts = createCharts();
  const embedded = { baseUrl: options.modelUrl };
  const load = createConnectedLoad(options, settings, (event) => chat.record(event));
  const caches = createStoredCaches(storageFolder(CACHES_FOLDER));
  const sampling = () => settings.getState().sampling;
  const now = () => Date.now();
  const chat = createChat({
    ...{ load, charts, sampling, newId, now, caches },
    wantsReference: () => settings.getState().comparesWithFull,
    hidePatches: withoutPatches,
  });
  const library = createLibrary({
    ...{ chat, policies, caches, newId, now },
    archive: createArchive(),
    ownership: createOwnership(),
    undrawn: createUndrawn(options),
    persist: createPersistence(options.storage),
  });
  const next = () => questionSettings(settings.getState(), policies);
  const viewer = createViewer({ chat, load, newId, now });
  // Without documents: the search uses single pages, like the model's training data.
  const pages = () =>
    viewer.store.getState().samples.filter((sample) => sample.pages === undefined);
  const ofLanes = () => cacheSettings(settings.getState(), policies);
  const modelInUse = () => loadedModel(load.store.getState());
  return {
    ...{ policies, settings, load, chat, charts, viewer, library, caches, next },
    attentionView: createAttentionView(chat),
    models: createModels({ hub: options.hub, load, embedded, begin: library.begin }),
    comparison: createComparisonSetup(settings, policies, newId),
    preview: createPreview({ load, chat, settings, next }),
    imagePrice: createImagePrice(load, chat),
    calibration: createCalibration({ load, chat, caches, samples: pages }),
    sweep: createSweep(chat, ofLanes, sampling, modelInUse),
  };
}

/** Loads the embedded model first, and again when another type of weights or of the cache is chosen. */
function createConnectedLoad(
  { connect, modelUrl }: AppOptions,
  settings: SettingsStore,
  record: (event: EngineEvent) => void,
): Load {
  const load = createLoad(
    async () => {
      const engine = await connect();
      engine.subscribe(record);
      return engine;
    },
    { baseUrl: modelUrl },
    () => performance.now(),
    () => loadTypes(settings.getState()),
  );
  settings.subscribe(({ weights, cacheType }, before) => {
    if (weights !== before.weights || cacheType !== before.cacheType) void load.reload();
  });
  return load;
}
