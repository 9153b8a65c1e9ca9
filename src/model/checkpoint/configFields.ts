import { shown } from "@/text/shown";
import { ModelError } from "../modelError";

/** A part of `config.json`. */
export type ConfigFields = { readonly [key: string]: unknown };

/** A part of `config.json`; undefined if it is absent or no object. */
export function objectField(from: ConfigFields, name: string): ConfigFields | undefined {
  const value = from[name];
  return typeof value === "object" && value !== null ? (value as ConfigFields) : undefined;
}

/** @throws ModelError for anything but a number from 2⁻¹⁰⁰ to 2¹⁰⁰ */
export function positiveField(from: ConfigFields, name: string, fallback?: number): number {
  const value = from[name] ?? fallback;
  const isPositive = typeof value === "number" && value > 0;
  // Beyond these, frequencies and norms in f32 are infinite or no numbers.
  if (isPositive && value >= 2 ** -100 && value <= 2 ** 100) return value;
  throw badConfig(
    `The field ${name} of config.json is ${shown(value)}, not a usable positive number.`,
  );
}

/** @throws ModelError for anything but a positive whole number */
export function countField(from: ConfigFields, name: string, fallback?: number): number {
  const value = positiveField(from, name, fallback);
  if (Number.isSafeInteger(value)) return value;
  throw badConfig(`The field ${name} of config.json is ${value}, not a whole number.`);
}

export function badConfig(message: string): ModelError {
  return new ModelError("badModel", message);
}

export function unsupported(message: string): ModelError {
  return new ModelError("unknownArchitecture", message);
}
