import { createStore, type StoreApi } from "zustand/vanilla";
import type { CacheSettings, Engine, EngineFailure, Sampling } from "@/protocol/engine";
import { createArchive } from "./archive";
import { type Calibration, createCalibration } from "./calibration";
import { type Charts, createCharts } from "./charts";
import { type Chat, createChat } from "./chat";
import { emptyConversation } from "./conversation";
import { createHistory, type History } from "./history";
import { createLanes, type Lanes } from "./lanes";
import { createLoad, type Load } from "./load";
import { createLook, type Look } from "./look";
import { withoutPatches } from "./occlusion";
import { type PictureOutcome, readPicture } from "./pictures";
import type { PolicyInfo } from "./policyInfo";
import { createPreview, type PreviewStore } from "./preview";
import { fetchSamples, type Sample } from "./samples";
import {
  cacheSettings,
  createSettingsStore,
  type SettingsState,
  type SettingsStore,
} from "./settings";

/** The stage's own state: what can be chosen, and why the last choice was refused. */
export interface StageState {
  readonly samples: readonly Sample[];
  readonly failure: EngineFailure | undefined;
  /** A picture is being read. */
  readonly isReading: boolean;
}

/** Everything behind the page; the page's components know nothing else. */
export interface App {
  readonly policies: readonly PolicyInfo[];
  readonly settings: SettingsStore;
  readonly load: Load;
  readonly chat: Chat;
  readonly charts: Charts;
  /** The word and the patches that somebody looks at. */
  readonly look: Look;
  readonly stage: StoreApi<StageState>;
  readonly history: History;
  /** What the next comparison compares. */
  readonly lanes: Lanes;
  /** What the next settings would keep of the last prompt. */
  readonly preview: PreviewStore;
  readonly calibration: Calibration;
  /** Starts the engine and shows the first sample. */
  start(): void;
  /** Settings of the next question. */
  next(): CacheSettings;
  /** Asks under the next settings, or in lanes where comparing is on. */
  ask(question: string): void;
  /** Answers a question that was asked before in lanes. */
  compareAgain(exchangeId: string): void;
  /** Puts a file on the stage, which starts a new conversation. */
  chooseFile(file: Blob, title: string): Promise<void>;
  chooseSample(id: string): Promise<void>;
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

/** Greedy, so that two policies' answers differ by their caches alone. */
const SAMPLING: Sampling = { maxNewTokens: 256, temperature: 0, topK: 0, topP: 1, seed: 0 };

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
    sampling: SAMPLING,
    newId,
    now: () => Date.now(),
    paint: withoutPatches,
  });
  const look = createLook(chat);
  const history = createHistory(createArchive(), chat, newId);
  const next = () => cacheSettings(settings.getState(), policies);
  const lanes = createLanes(settings, policies, newId);
  const preview = createPreview({ load, chat, settings, next });
  const stage = createStore<StageState>(() => ({
    samples: [],
    failure: undefined,
    isReading: false,
  }));
  const calibration = createCalibration(load, () => stage.getState().samples);
  /** Counts choices, so that a slow file cannot replace a picture that was chosen after it. */
  let choice = 0;
  /** Settled once the picture that was chosen last is on the stage, or was refused. */
  let reading: Promise<void> = Promise.resolve();

  const choose = (read: () => Promise<PictureOutcome>) => {
    reading = take(read);
    return reading;
  };

  async function take(read: () => Promise<PictureOutcome>) {
    choice += 1;
    const mine = choice;
    stage.setState({ isReading: true, failure: undefined });
    const outcome = await read();
    if (mine !== choice) return;
    stage.setState({ isReading: false, failure: outcome.ok ? undefined : outcome.failure });
    if (outcome.ok) chat.open(emptyConversation(newId(), Date.now(), outcome.picture), "picture");
  }

  const chooseSample = (id: string) =>
    choose(async () => {
      const sample = stage.getState().samples.find((each) => each.id === id);
      const response = sample ? await fetch(sample.url).catch(() => undefined) : undefined;
      if (!sample || !response?.ok) {
        const message = `The sample “${sample?.title ?? id}” could not be read.`;
        return { ok: false, failure: { code: "badImage", message, action: "chooseImage" } };
      }
      const { title, alt } = sample;
      return readPicture(await response.blob(), { id: newId(), title, alt, sampleId: id });
    });

  async function startGallery() {
    const samples = await fetchSamples(options.samplesUrl).catch(() => []);
    stage.setState({ samples });
    const first = samples.find(({ id }) => id === options.sampleId) ?? samples[0];
    if (choice === 0 && (await history.restore(options.sampleId))) return;
    if (first && choice === 0) await chooseSample(first.id);
  }

  /** Sends a question under the settings of now, whenever that is. */
  function sender(question: string): () => void {
    const single = next();
    if (!lanes.store.getState().isOn) return () => chat.ask(question, single);
    const several = lanes.settings();
    lanes.asked();
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
    look,
    stage,
    start() {
      gallery = startGallery().finally(() => {
        isSettled = true;
      });
      void load.start();
    },
    next,
    ask(question) {
      const send = sender(question);
      // A question that is quicker than its picture waits for it.
      if (isSettled && !stage.getState().isReading) return send();
      void gallery.then(() => reading).then(send);
    },
    compareAgain: (exchangeId) => chat.compareAgain(exchangeId, lanes.settings()),
    chooseFile: (file, title) => choose(() => readPicture(file, { id: newId(), title })),
    chooseSample,
    history,
    lanes,
    preview,
    calibration,
  };
}
