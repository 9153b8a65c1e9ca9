import { askedBefore } from "../conversation/conversation";
import { fetchSamples } from "../images/samples";
import type { SharedQuestion } from "../settings/address";
import { cacheSettings } from "../settings/settings";
import { type AppOptions, type AppParts, createParts } from "./parts";

/** The page's state and actions; the components' only interface to the rest. */
export interface App extends AppParts {
  /** Starts the engine and shows the first sample. */
  start(): void;
  /**
   * Asks with the next settings, or in lanes if comparing is on. A question that was asked before,
   * word for word, is answered again in its place: as a new turn, the model would read its own answer.
   * @returns false if it waited for an image that is not shown in the end: it is not sent then
   */
  ask(question: string): Promise<boolean>;
  /** Replaces a question and asks the new one, with the next settings or in lanes. */
  edit(exchangeId: string, question: string): void;
  /** Answers an earlier question again, in lanes. */
  compareAgain(exchangeId: string): void;
}

export function createApp(options: AppOptions): App {
  const parts = createParts(options);
  const { chat, viewer, library, models, comparison, next } = parts;
  let gallery: Promise<void> = Promise.resolve();
  let isSettled = false;
  return {
    ...parts,
    start() {
      gallery = startGallery(parts, options).finally(() => {
        isSettled = true;
      });
      void models.start(options.modelId);
    },
    async ask(question) {
      const { send, takeBack } = sender(parts, question);
      // If the image is still loading, the question waits for it.
      if (!isSettled || viewer.store.getState().isReading) {
        await gallery;
        const isPlaced = await viewer.settled();
        if (!isPlaced || viewer.store.getState().failure) {
          takeBack();
          return false;
        }
      }
      send();
      return true;
    },
    edit(exchangeId, question) {
      const isComparing = comparison.store.getState().isOn;
      library.edit(exchangeId, question, isComparing ? comparison.settings() : [next()]);
      if (isComparing) comparison.asked();
    },
    compareAgain: (exchangeId) => chat.compareAgain(exchangeId, comparison.settings()),
  };
}

/**
 * Shows the newest conversation, or a sample. A choice that the user made meanwhile stands, and a shared question is
 * asked about its sample only.
 */
async function startGallery(parts: AppParts, options: AppOptions): Promise<void> {
  const { viewer, library } = parts;
  const samples = await fetchSamples(options.samplesUrl).catch(() => []);
  viewer.setSamples(samples);
  const first = samples.find(({ id }) => id === options.sampleId) ?? samples[0];
  const isWanted = () => viewer.choices() === 0;
  if (!options.shared && isWanted() && (await library.restore(options.sampleId, isWanted))) return;
  const isShown = first && isWanted() && (await viewer.chooseSample(first.id));
  if (options.shared && isShown) askShared(parts, options.shared);
}

function askShared(parts: AppParts, { question, lanes }: SharedQuestion): void {
  const { chat, settings, policies, next } = parts;
  if (lanes.length === 0) {
    chat.ask(question, next());
    return;
  }
  const state = settings.getState();
  const several = lanes.map((lane) =>
    cacheSettings({ ...state, ...lane, options: { [lane.policy]: lane.options } }, policies),
  );
  chat.compare(question, several);
}

/** Sends a question with the settings at the time of this call, or takes it back: its lanes stand again. */
function sender({ chat, comparison, next }: AppParts, question: string) {
  const single = next();
  const again = () => askedBefore(chat.store.getState().conversation, question)?.id;
  if (!comparison.store.getState().isOn) {
    const send = () => {
      const asked = again();
      return asked ? chat.askAgain(asked, single) : chat.ask(question, single);
    };
    return { send, takeBack: () => undefined };
  }
  const several = comparison.settings();
  const takeBack = comparison.asked();
  const send = () => {
    const asked = again();
    return asked ? chat.compareAgain(asked, several) : chat.compare(question, several);
  };
  return { send, takeBack };
}
