import fs from "node:fs";
import path from "node:path";
import { greedy } from "@/protocol/defaults";
import type { TurnResult } from "@/protocol/result";
import { forgetShares } from "@/text/forgetShares";
import { readDataset } from "./shared/dataset";
import { weightsRevision } from "./shared/disk";
import { openEngine } from "./shared/engine";
import { scopeOption } from "./shared/lanes";
import { numberOption, parseCommandLine, usageError } from "./shared/options";

const USAGE = `npm run calibrate -- --policy prefixkv --data DIR --retention 0.2 --out FILE
  [--model DIR] [--scope visual|prompt] [--limit N]

Averages the policy's search over the first question of every image of a data set. Use the file with
--policy prefixkv --option search=config --option forget=@FILE.
`;

/** Contents of the file; `forget` is the share of the candidate rows that each layer drops. */
export interface Calibration {
  readonly model: string;
  /** `weightsRevision` of the model. */
  readonly revision: string;
  readonly policy: string;
  readonly scope: string;
  readonly retention: number;
  readonly samples: number;
  readonly forget: readonly number[];
}

/**
 * `npm run calibrate`: computes PrefixKV's offline configuration (https://arxiv.org/abs/2412.03409)
 * for a model.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseCommandLine(
    {
      args: [...argv],
      options: {
        policy: { type: "string", default: "prefixkv" },
        data: { type: "string" },
        retention: { type: "string" },
        out: { type: "string" },
        model: { type: "string", default: "public/models/keepsight-mini" },
        scope: { type: "string", default: "visual" },
        limit: { type: "string", default: "20" },
      },
    },
    USAGE,
  );
  const { data, out, policy } = values;
  if (!data || !out || !values.retention) {
    throw usageError("--data, --retention and --out are needed.", USAGE);
  }
  if (policy !== "prefixkv") throw usageError(`Only prefixkv is calibrated, not ${policy}.`, USAGE);
  const scope = scopeOption(values.scope, USAGE);
  const retention = numberOption("retention", values.retention, { above: 0, to: 1 });
  const limit = numberOption("limit", values.limit, { from: 1, to: 1e6, isWhole: true });
  const samples = readDataset(data, limit);
  const modelDir = path.resolve(values.model);
  const images = Object.fromEntries(samples.map(({ image }, index) => [String(index), image]));

  const page = await openEngine(modelDir, images);
  const results: TurnResult[] = [];
  try {
    await page.load();
    for (const [index, { turns }] of samples.entries()) {
      const result = await page.ask({
        turns: [{ images: [String(index)], question: turns[0]?.question ?? "" }],
        settings: { policy, retention, scope, options: { search: "exact" } },
        sampling: greedy(1),
        fresh: true,
      });
      results.push(result);
      process.stderr.write(`${index + 1} of ${samples.length}\r`);
    }
  } finally {
    await page.close();
  }
  const calibration: Calibration = {
    model: path.basename(modelDir),
    revision: weightsRevision(modelDir),
    policy,
    scope,
    retention,
    samples: samples.length,
    forget: forgetShares(results),
  };
  fs.writeFileSync(out, `${JSON.stringify(calibration, null, 2)}\n`);
  return 0;
}
