import fs from "node:fs";
import path from "node:path";
import type { ModelInfo } from "@/protocol/model";
import { openEngine } from "../shared/engine";
import { inputError, parseCommandLine, usageError } from "../shared/options";

const USAGE = `npm run ask -- --model DIR --load

Loads a model, asks nothing, and prints as JSON what it is and what loading took.
`;

/** What is printed. */
interface LoadDocument extends ModelInfo {
  /** Bytes of the weights in GPU buffers. */
  readonly weightBytes: number;
  /** `loadPeakBytes` / `weightBytes` */
  readonly peakShare: number;
}

/** `npm run ask -- --load` */
export async function loadOnly(argv: readonly string[]): Promise<number> {
  const model = modelOf(argv);
  if (!fs.existsSync(model)) throw inputError(`There is no model directory ${model}.`);
  const page = await openEngine(path.resolve(model));
  try {
    const info = await page.load();
    const { weights } = await page.memory();
    const document: LoadDocument = {
      ...{ ...info, weightBytes: weights, peakShare: info.loadPeakBytes / weights },
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  } finally {
    await page.close();
  }
}

function modelOf(argv: readonly string[]): string {
  const options = { model: { type: "string" }, load: { type: "boolean" } } as const;
  const { model } = parseCommandLine({ args: [...argv], options }, USAGE).values;
  if (model === undefined) throw usageError("--model is missing.", USAGE);
  return model;
}
