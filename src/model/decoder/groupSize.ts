import { GROUP_STEPS } from "./decodeSteps";

/** Time of a group: text appears at this pace, and a stop wastes at most two groups. */
const GROUP_MS = 20;
/** A group has at most this share of the tokens so far, so that a short answer wastes little. */
const SHARE = 1 / 4;
/** Weight of the newest measurement. */
const BLEND = 0.3;

/** How many decoding steps share a submit: as many as fit into `GROUP_MS`, and few at the start. */
export class GroupSize {
  readonly #isSingle: boolean;
  #ms: number | undefined;

  /** @param isSingle every step needs the token before it */
  constructor(isSingle: boolean) {
    this.#isSingle = isSingle;
  }

  /** Milliseconds of a token. */
  measured(ms: number): void {
    this.#ms = this.#ms === undefined ? ms : this.#ms + BLEND * (ms - this.#ms);
  }

  /** Steps of the next group, after `tokens` tokens. */
  next(tokens: number): number {
    if (this.#isSingle || this.#ms === undefined) return 1;
    const fitting = Math.floor(GROUP_MS / this.#ms);
    return Math.max(1, Math.min(fitting, Math.ceil(tokens * SHARE), GROUP_STEPS));
  }
}
