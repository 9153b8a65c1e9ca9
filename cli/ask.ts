import { parseAsk } from "./ask/command";
import { askAll, describeLane } from "./ask/document";
import { loadOnly } from "./ask/loadOnly";
import { replay } from "./ask/replay";
import { verify } from "./ask/verify";
import { openEngine } from "./shared/engine";
import { withHubModel } from "./shared/hubModel";
import { writeDocument } from "./shared/options";

/** `npm run ask` */
export async function main(given: readonly string[]): Promise<number> {
  const argv = await withHubModel(given);
  if (argv.some((word) => word === "--replay" || word.startsWith("--replay="))) return replay(argv);
  if (argv.includes("--load")) return loadOnly(argv);
  if (argv.includes("--verify")) return verify(argv);
  const command = parseAsk(argv);
  const page = await openEngine(command.model, command.images);
  try {
    const isQuiet = command.json === "-";
    const document = await askAll(page, command, (text) => {
      if (!isQuiet) process.stdout.write(text);
    });
    if (!isQuiet) process.stdout.write((document.lanes ?? []).map(describeLane).join(""));
    writeDocument(command.json, document);
    return 0;
  } finally {
    await page.close();
  }
}
