import fs from "node:fs";
import { inputError } from "../shared/options";
import type { Answered } from "./scores";

/** Everything besides the questions that determines the answers. */
export interface EvalSettings {
  /** Folder name and the first digits of the weights' SHA-256. */
  readonly model: string;
  readonly lanes: readonly string[];
  readonly scope: string;
  readonly options: Readonly<Record<string, number | string>>;
  readonly kvType: string;
  readonly weightType: string;
  readonly maxNewTokens: number;
}

/**
 * The answered questions: a line of settings, then one line per question. A stopped command resumes
 * from it; an incomplete last line is asked again.
 */
export class EvalRecords {
  readonly #file: string | undefined;
  readonly #answered = new Map<string, Answered>();

  /** @throws with exitCode 1 if the file has different settings. */
  constructor(file: string | undefined, settings: EvalSettings) {
    this.#file = file;
    if (file === undefined) return;
    const head = JSON.stringify(settings);
    if (!fs.existsSync(file)) {
      fs.writeFileSync(file, `${head}\n`);
      return;
    }
    const [first, ...lines] = fs.readFileSync(file, "utf8").split("\n");
    if (first !== head) {
      throw inputError(`${file} has other settings; delete it, or use another file.`);
    }
    for (const answered of lines.map(parse)) {
      if (answered) this.#answered.set(answered.key, answered);
    }
    const whole = [head, ...[...this.#answered.values()].map((each) => JSON.stringify(each))];
    fs.writeFileSync(file, `${whole.join("\n")}\n`);
  }

  /**
   * Takes over what the processes with a part of the questions each have answered.
   * @throws with exitCode 1 if one of their files has different settings.
   */
  absorb(files: readonly string[], settings: EvalSettings): void {
    for (const file of files) {
      for (const [key, answered] of new EvalRecords(file, settings).#answered) {
        if (!this.#answered.has(key)) this.add(answered);
      }
    }
  }

  get(key: string): Answered | undefined {
    return this.#answered.get(key);
  }

  add(answered: Answered): void {
    this.#answered.set(answered.key, answered);
    if (this.#file !== undefined) fs.appendFileSync(this.#file, `${JSON.stringify(answered)}\n`);
  }
}

function parse(line: string): Answered | undefined {
  try {
    const answered = JSON.parse(line) as Answered;
    return Array.isArray(answered.lanes) ? answered : undefined;
  } catch {
    return undefined;
  }
}
