import type fc from "fast-check";

/** Something that reads data from outside. */
export interface FuzzTarget<Input extends string | Uint8Array = string | Uint8Array> {
  readonly name: string;
  readonly inputs: fc.Arbitrary<Input>;
  /** Throws if the reader does: any error but a refusal, or a result that does not hold. */
  check(input: Input): void | Promise<void>;
}

/** A class of errors that carry a sentence for people. */
type Refusal = new (...args: never[]) => Error;

/** Characters of a sentence that quotes a value of up to 80. */
const LONGEST_SENTENCE = 400;

/** The result of reading, or undefined if it was refused with a sentence. */
export async function readOrRefused<T>(
  read: () => T | Promise<T>,
  refusals: readonly Refusal[],
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const isRefusal = refusals.some((refusal) => error instanceof refusal);
    if (!isRefusal) throw error;
    const { message } = error as Error;
    ensure(message.length <= LONGEST_SENTENCE, `a sentence of ${message.length} characters`);
    ensure(/^\S.*[.:!?]$/s.test(message), `no sentence: ${message}`);
    return undefined;
  }
}

/** @throws Error if something does not hold: a finding */
export function ensure(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** A safe whole number above 0. */
export function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** The object that a text has; an empty one for any other text, which the target `config` covers. */
export function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A safetensors file with this header. */
export function safetensors(header: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}
