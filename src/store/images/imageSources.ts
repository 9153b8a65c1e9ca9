import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";
import { formatClock } from "@/text/format";
import { shown } from "@/text/shown";
import { fetchImage, hostOf, parseAddress } from "./fetchImage";
import { type ImageOutcome, readImage } from "./readImage";
import { readVideo, type VideoStills } from "./readVideo";
import { type SampleImage, sampleWords } from "./samples";

export interface Given {
  readonly blob: Blob;
  readonly title: string;
}

/** Bytes of an image that is being fetched from another site. */
export interface Fetching {
  readonly host: string;
  readonly loaded: number;
  readonly total: number | undefined;
}

export interface ImageSourceOptions {
  readonly newId: () => string;
  /** For tests; default: decoding in the browser. */
  readonly read?: typeof readImage;
  readonly readVideo?: typeof readVideo;
}

/** Reads images from files, videos, addresses and samples. */
export class ImageSources {
  readonly #newId: () => string;
  readonly #read: typeof readImage;
  readonly #readVideo: typeof readVideo;

  constructor(options: ImageSourceOptions) {
    this.#newId = options.newId;
    this.#read = options.read ?? readImage;
    this.#readVideo = options.readVideo ?? readVideo;
  }

  /** Files, in their order. */
  async files(given: readonly Given[], signal: AbortSignal) {
    const outcomes: ImageOutcome[] = [];
    // Sequentially: each is decoded once, and decoding in parallel would need the memory of all.
    for (const { blob, title } of given) {
      if (signal.aborted) break;
      outcomes.push(await this.#read(blob, { id: this.#newId(), title }));
    }
    return outcomes;
  }

  /** Frames of a video, each with its time. */
  async stills(
    { stills, duration }: VideoStills,
    title: string,
    signal: AbortSignal,
  ): Promise<readonly ImageOutcome[]> {
    const video = this.#newId();
    const named = texts.viewer.video.frameTitle;
    const given = stills.map(({ blob, seconds }) => ({
      blob,
      title: named(title, formatClock(seconds)),
    }));
    const outcomes = await this.files(given, signal);
    return outcomes.map((outcome, i) => {
      if (!outcome.ok) return outcome;
      const { seconds = 0 } = stills[i] ?? {};
      return { ...outcome, image: { ...outcome.image, frame: { video, seconds, duration } } };
    });
  }

  /** Evenly spaced frames of a video file. */
  async video({ blob, title }: Given, count: number, signal: AbortSignal) {
    const stills = await this.#readVideo(blob, count, signal).catch((): undefined => undefined);
    signal.throwIfAborted();
    if (stills) return this.stills(stills, title, signal);
    const message = texts.viewer.video.unreadable(texts.viewer.read.named(shown(title)));
    return [{ ok: false, failure: { code: "badImage", message } } as const];
  }

  /** An image of another site. */
  async address(
    address: string,
    signal: AbortSignal,
    onProgress: (progress: Fetching) => void,
  ): Promise<ImageOutcome> {
    const url = parseAddress(address);
    if (!url) {
      const message = texts.viewer.read.noAddress(address);
      return { ok: false, failure: { code: "badImage", message } };
    }
    const tell = (loaded: number, total?: number) => {
      if (!signal.aborted) onProgress({ host: hostOf(url), loaded, total });
    };
    tell(0);
    const fetched = await fetchImage(url, { signal, onProgress: tell });
    if (!fetched.ok) return fetched;
    return this.#read(fetched.blob, { id: this.#newId(), title: fetched.title });
  }

  /** All pages of a sample. */
  async sample(sample: SampleImage) {
    const { title, alt } = sampleWords(sample);
    const { id, url, pages = [{ url, alt }] } = sample;
    return Promise.all(
      pages.map(async (page, index): Promise<ImageOutcome> => {
        const response = await fetch(page.url).catch(() => undefined);
        if (!response?.ok) {
          const message = texts.viewer.read.sampleUnread(title);
          return { ok: false, failure: { code: "badImage", message, action: "chooseImage" } };
        }
        const named = texts.viewer.read.page;
        const name = pages.length > 1 ? named(title, index + 1, pages.length) : title;
        const source = { id: this.#newId(), title: name, alt: page.alt, sampleId: id };
        return this.#read(await response.blob(), source);
      }),
    );
  }
}

/** Largest number of sentences shown individually; beyond it, only their count is shown. */
const MAX_SENTENCES = 3;

/** Combines failures into one. */
export function joinedFailures(failures: readonly EngineFailure[]): EngineFailure | undefined {
  const [first] = failures;
  if (!first || failures.length === 1) return first;
  const sentences = failures.slice(0, MAX_SENTENCES).map(({ message }) => message);
  const more = failures.length - MAX_SENTENCES;
  if (more > 0) sentences.push(texts.viewer.read.moreUnread(more));
  return { ...first, message: sentences.join(" ") };
}
