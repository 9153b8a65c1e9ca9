import fs from "node:fs";

/** Seconds that a measurement should have left before it begins. */
const LEAST_SECONDS = 1;

/**
 * The report of a benchmark with a time limit. Every line is printed and every figure is written to the file as soon as
 * it is known, so that a run that ends early loses nothing.
 */
export class Report {
  readonly #file: string | undefined;
  readonly #started = performance.now();
  readonly #seconds: number;
  readonly #figures: Record<string, unknown> = {};
  readonly #problems: string[] = [];

  constructor(file: string | undefined, seconds: number) {
    this.#file = file;
    this.#seconds = seconds;
    this.#figures.date = new Date().toISOString();
    this.#figures.problems = this.#problems;
  }

  /** Seconds since the report began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** All that was set so far. */
  get figures(): Readonly<Record<string, unknown>> {
    return this.#figures;
  }

  get left(): number {
    return this.#seconds - this.seconds;
  }

  line(text: string): void {
    // A pipe takes all of it before the process may end.
    fs.writeSync(1, `${text}\n`);
  }

  /** A line that is also among the report's problems: a failure, or a measurement that was left out. */
  problem(text: string): void {
    this.line(`! ${text}`);
    this.#problems.push(text);
    this.#save();
  }

  /** Sets a figure by its path, for example `models`, `Llama-1.1B`, `load`. */
  set(path: readonly string[], value: unknown): void {
    const parent = this.#parent(path);
    parent[path.at(-1) as string] = value;
    this.#save();
  }

  /** Adds a figure to the list at `path`. */
  add(path: readonly string[], value: unknown): void {
    const parent = this.#parent(path);
    const name = path.at(-1) as string;
    parent[name] = [...((parent[name] as readonly unknown[] | undefined) ?? []), value];
    this.#save();
  }

  /** Whether there is time for a measurement that takes about `seconds`; if not, it is a problem. */
  hasTime(what: string, seconds = LEAST_SECONDS): boolean {
    if (this.left >= seconds) return true;
    this.problem(`${what}: left out, ${Math.max(0, this.left).toFixed(1)} s are left`);
    return false;
  }

  /** Runs a measurement; its failure is a problem, and the others follow. */
  async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.problem(`${what}: ${error instanceof Error ? error.message : error}`);
    }
  }

  #parent(path: readonly string[]): Record<string, unknown> {
    let at = this.#figures;
    for (const name of path.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    return at;
  }

  #save(): void {
    if (this.#file === undefined) return;
    const figures = { ...this.#figures, seconds: this.seconds };
    fs.writeFileSync(this.#file, `${JSON.stringify(figures, null, 1)}\n`);
  }
}

/** A share in per cent, with one decimal. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
