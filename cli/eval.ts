import { openEngine } from "./engine";
import { evaluate } from "./eval/evaluate";

/** `npm run eval`, in a browser. */
export function main(argv: readonly string[]): Promise<number> {
  return evaluate(argv, openEngine);
}
