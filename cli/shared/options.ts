import fs from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { KV_CHOICES, type KvChoice } from "@/protocol/model";

/** An error that ends a command with a sentence on stderr and this exit status. */
function exit(exitCode: number, message: string): Error {
  return Object.assign(new Error(message), { exitCode });
}

/** Invalid input: status 1. */
export function inputError(message: string): Error {
  return exit(1, message);
}

/** Invalid usage: status 2, with the usage after the sentence. */
export function usageError(message: string, usage: string): Error {
  return exit(2, `${message}\n\n${usage}`);
}

/** No WebGPU: status 3. */
export function webGpuError(message: string): Error {
  return exit(3, message);
}

/** `parseArgs` of Node; an unknown option is invalid usage. @throws with exitCode 2; with 0 for `--help` */
export function parseCommandLine<const T extends ParseArgsConfig>(config: T, usage: string) {
  if (config.args?.some((each) => each === "--help" || each === "-h")) throw exit(0, usage);
  try {
    return parseArgs(config);
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), usage);
  }
}

/** Writes what `--json` asks for: to a file, or to stdout if it is `-`. */
export function writeDocument(json: string | undefined, document: unknown): void {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else if (json !== undefined) fs.writeFileSync(json, text);
}

/** Which numbers an option takes. */
type NumberRange = (
  | { readonly from: number; readonly above?: never }
  | { readonly above: number; readonly from?: never }
) & {
  readonly to: number;
  /** Whole numbers only. */
  readonly isWhole?: boolean;
};

/** A number within bounds. @throws with exitCode 2 */
export function numberOption(name: string, text: string, range: NumberRange): number {
  const { from, above, to, isWhole = false } = range;
  const value = Number(text);
  const isInside = (above === undefined ? value >= from : value > above) && value <= to;
  if (text.trim() === "" || !isInside || (isWhole && !Number.isInteger(value))) {
    const bounds = `${above === undefined ? `from ${from}` : `above ${above}`} to ${to}`;
    throw exit(2, `--${name} is a ${isWhole ? "whole " : ""}number ${bounds}, not ${text}.`);
  }
  return value;
}

/** Numbers with commas between them. @throws with exitCode 2 */
export function numberList(name: string, text: string, range: NumberRange): readonly number[] {
  const parts = text.split(",").filter(Boolean);
  return parts.map((part) => numberOption(name, part, range));
}

/** The options that say how weights and cache are held; spread into a `LoadRequest`. */
export interface TypeOptions {
  readonly kvType?: KvChoice;
  readonly weightType?: "f32" | "f16" | "q8" | "q4";
}

/** Parses `--kv-type` and `--weight-type`. @throws with exitCode 2 */
export function typeOptions(
  values: { readonly "kv-type"?: string | undefined; readonly "weight-type"?: string | undefined },
  usage: string,
): TypeOptions {
  const { "kv-type": kv, "weight-type": weight } = values;
  const kvType = KV_CHOICES.find((type) => type === kv);
  const weightType = (["f32", "f16", "q8", "q4"] as const).find((type) => type === weight);
  if (kv !== undefined && !kvType) throw usageError("--kv-type is f32, f16, q8 or q4.", usage);
  if (weight !== undefined && !weightType)
    throw usageError("--weight-type is f32, f16, q8 or q4.", usage);
  return { ...(kvType && { kvType }), ...(weightType && { weightType }) };
}

/**
 * `alpha=0.9` → ["alpha", 0.9]; a value that is not a number remains text; `forget=@FILE` reads the
 * list of that name from a JSON file of `npm run calibrate`.
 */
export function parseOption(text: string): [string, number | string] {
  const at = text.indexOf("=");
  if (at < 1) throw exit(2, `--option needs name=value, not ${text}.`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (value.startsWith("@")) return [name, listFrom(value.slice(1), name)];
  return [name, value !== "" && Number.isFinite(Number(value)) ? Number(value) : value];
}

function listFrom(file: string, name: string): string {
  try {
    const list = JSON.parse(fs.readFileSync(file, "utf8"))[name];
    if (Array.isArray(list)) return list.join(",");
  } catch {
    // the error below covers this case
  }
  throw inputError(`${file} is not a JSON file with a list ${name}.`);
}
