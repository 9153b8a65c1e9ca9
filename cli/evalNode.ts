import { evaluate } from "./eval/evaluate";
import { openNodeEngine } from "./shared/nodeEngine";

/** `npm run eval:node`: as `eval`, without a browser. */
export function main(argv: readonly string[]): Promise<number> {
  return evaluate(argv, openNodeEngine);
}
