import { evaluate } from "./eval/evaluate";
import { openEngine } from "./shared/engine";

/** `npm run eval`, in a browser. */
export function main(argv: readonly string[]): Promise<number> {
  return evaluate(argv, openEngine);
}
