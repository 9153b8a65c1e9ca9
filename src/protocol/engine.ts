import type { EngineEvent, MemoryReading } from "./event";
import type {
  AdapterRate,
  ImagePrice,
  LoadRequest,
  ModelInfo,
  ModelOutline,
  PricedImage,
} from "./model";
import type { AskRequest, CacheSettings, CompareRequest } from "./request";
import type { LaneOutcome, PlanPreview, TurnResult } from "./result";

/**
 * The only interface between a page and an engine. A worker implements it (`runtime/`), and so does a
 * scripted engine (`client/scriptedEngine.ts`).
 */
export interface Engine {
  /**
   * Loads a model and replaces the current one, which is gone if the load fails later than by `badRequest` or
   * `busy`. Progress is reported by `load` events. Rejects with `EngineError`.
   */
  load(request: LoadRequest): Promise<ModelInfo>;
  /**
   * What a `config.json` says about a model, before anything large is fetched.
   * @param beside the texts of `preprocessor_config.json` and `processor_config.json`, by name, if there are any
   * @throws EngineError `badModel`, `unknownArchitecture`
   */
  inspect(config: string, beside?: Readonly<Record<string, string>>): Promise<ModelOutline>;
  /**
   * What the images of a turn would add to its prompt, from their sizes alone. Nothing is encoded.
   * @throws EngineError `noModel`, `badImage`
   */
  priceImages(images: readonly PricedImage[]): Promise<ImagePrice>;
  /**
   * Measures how fast this adapter reads and multiplies weights, in less than a second.
   * @throws EngineError `busy` during a request, and before the first load
   */
  measure(): Promise<AdapterRate>;
  /**
   * Answers the last turn of a conversation. Each call carries the whole conversation. The engine
   * appends to its cache if possible, and otherwise runs a new prefill. Tokens are reported by
   * `token` events. Rejects with `EngineError`.
   */
  ask(request: AskRequest): Promise<TurnResult>;
  /**
   * Answers the last turn once per lane, from one prefill where lanes can share it; one after the other, or together
   * (`CompareRequest.together`). Events name their lane. The first lane's cache is kept for the next question.
   */
  compare(request: CompareRequest): Promise<readonly LaneOutcome[]>;
  /**
   * Stops the running `load`, `ask` or `compare` within two tokens; `ask` then resolves with the
   * answer so far.
   */
  cancel(): Promise<void>;
  /**
   * What `settings` would keep of the last prompt, from its recorded attention; runs no model.
   * @throws EngineError `noModel`; `badRequest` if they need attention that was not recorded
   */
  preview(settings: CacheSettings): Promise<PlanPreview>;
  /**
   * The conversation's cache as a file, to go on without a prefill later; undefined if there is none, or
   * while a request runs.
   */
  saveCache(): Promise<Blob | undefined>;
  /**
   * Replaces the conversation's cache by a saved one. The next request appends to it if it continues the
   * same conversation under the same settings.
   * @returns false if other weights, another format or cache type saved it; then nothing changes
   * @throws EngineError `noModel`, `busy`, `outOfMemory`
   */
  restoreCache(saved: Blob): Promise<boolean>;
  /** Stops what runs and frees the conversation's cache and image features; weights stay. */
  clear(): Promise<void>;
  /** Live GPU bytes, by pool. */
  memory(): Promise<MemoryReading>;
  /** Returns the function that unsubscribes. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}
