import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { EvalCommand } from "./command";

/** The file of a process's answers: one per shard, so that no two processes write the same. */
export function recordsFile({ json, shard }: Pick<EvalCommand, "json" | "shard">) {
  if (json === undefined) return undefined;
  return shard
    ? `${json}.questions.${shard.index}-of-${shard.of}.jsonl`
    : `${json}.questions.jsonl`;
}

/** Files of the shards that have been asked for `json`. */
export function shardFiles(json: string | undefined): string[] {
  if (json === undefined) return [];
  const folder = path.dirname(json);
  const start = `${path.basename(json)}.questions.`;
  const isShard = (name: string) => name.startsWith(start) && /\d+-of-\d+\.jsonl$/.test(name);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names
    .filter(isShard)
    .sort()
    .map((name) => path.join(folder, name));
}

/** The command line of one of the processes, which starts no others. */
export function shardArguments(
  argv: readonly string[],
  index: number,
  processes: number,
): readonly string[] {
  const at = argv.indexOf("--processes");
  const others = at < 0 ? argv : [...argv.slice(0, at), ...argv.slice(at + 2)];
  const rest = others.filter((word) => !word.startsWith("--processes="));
  return [...rest, "--shard", `${index}/${processes}`];
}

/** Asks every shard in a process of its own, all at the same time. A process that fails is told on stderr. */
export async function askInProcesses(argv: readonly string[], processes: number): Promise<void> {
  const [, script, name] = process.argv;
  await Promise.all(
    Array.from({ length: processes }, (_, index) => {
      const args = [script as string, name as string, ...shardArguments(argv, index, processes)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
      return new Promise<void>((resolve) => {
        child.on("exit", (code) => {
          if (code !== 0) process.stderr.write(`shard ${index} ended with ${code}\n`);
          resolve();
        });
      });
    }),
  );
}
