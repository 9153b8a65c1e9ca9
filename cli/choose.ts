import fs from "node:fs";
import { type PairedDifference, pairedDifference } from "./eval/pairedDifference";
import { inputError, usageError } from "./shared/options";

const USAGE = `npm run choose -- SCORES.json …

Chooses the default policy and share from results of npm run eval --json. Files of several data sets are added up.
The rule: the smallest share whose difference from the full cache has a lower 95 % bound above -3 points, over at
least 300 questions. Among lanes of that share the one with the highest bound. If no lane meets the rule, the lane
with the highest bound of all.
`;

const LEAST_QUESTIONS = 300;
/** Lower bound of the paired difference from the full cache. */
const LOWEST = -0.03;

/** One lane over all files. */
interface LaneTotal {
  /** `policy:retention` */
  readonly lane: string;
  readonly retention: number;
  readonly questions: number;
  readonly paired: PairedDifference;
}

/** `npm run choose` */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 0 || argv.some((file) => file.startsWith("-"))) {
    throw usageError("Name the files of npm run eval --json.", USAGE);
  }
  const totals = addUp(argv.map(readScores));
  const { total, meetsRule } = chooseDefault(totals);
  const sorted = totals.toSorted(
    (a, b) => a.retention - b.retention || b.paired.low - a.paired.low,
  );
  for (const each of sorted) process.stdout.write(`${told(each)}\n`);
  const why = meetsRule ? "meets the rule" : "no lane meets the rule; the highest bound";
  process.stdout.write(`default: ${total.lane} (${why})\n`);
  return 0;
}

/** @throws with exitCode 1 if there is no lane besides the full cache's */
export function chooseDefault(totals: readonly LaneTotal[]): {
  readonly total: LaneTotal;
  readonly meetsRule: boolean;
} {
  const [highest] = totals.toSorted((a, b) => b.paired.low - a.paired.low);
  if (!highest) throw inputError("No lane was compared with the full cache.");
  const passing = totals.filter(
    ({ paired, questions }) => questions >= LEAST_QUESTIONS && paired.low > LOWEST,
  );
  const [smallest] = passing.toSorted(
    (a, b) => a.retention - b.retention || b.paired.low - a.paired.low,
  );
  return { total: smallest ?? highest, meetsRule: smallest !== undefined };
}

interface LaneCounts {
  readonly lane: string;
  readonly questions: number;
  readonly gained: number;
  readonly lost: number;
}

/** Sums over the files; a lane that is missing in one has fewer questions. */
export function addUp(files: readonly (readonly LaneCounts[])[]): readonly LaneTotal[] {
  const sums = new Map<string, LaneCounts>();
  for (const counts of files.flat()) {
    const { lane, questions, gained, lost } = counts;
    const sum = sums.get(lane) ?? { lane, questions: 0, gained: 0, lost: 0 };
    sums.set(lane, {
      lane,
      questions: sum.questions + questions,
      gained: sum.gained + gained,
      lost: sum.lost + lost,
    });
  }
  return [...sums.values()].map(({ lane, questions, gained, lost }) => ({
    lane,
    retention: Number(lane.split(":")[1]),
    questions,
    paired: pairedDifference(gained, lost, questions),
  }));
}

/** @throws with exitCode 1, naming the file */
function readScores(file: string): readonly LaneCounts[] {
  try {
    const { lanes } = JSON.parse(fs.readFileSync(file, "utf8"));
    return (lanes as { lane: string; questions: number; againstFull?: PairedDifference }[]).flatMap(
      ({ lane, questions, againstFull }) =>
        againstFull
          ? [{ lane, questions, gained: againstFull.gained, lost: againstFull.lost }]
          : [],
    );
  } catch {
    throw inputError(`${file} is not a result of npm run eval --json.`);
  }
}

function told({ lane, questions, paired }: LaneTotal): string {
  const points = (share: number) => (100 * share).toFixed(1);
  const { difference, low, high } = paired;
  return `${lane}: ${points(difference)} points (${points(low)} to ${points(high)}), n = ${questions}`;
}
