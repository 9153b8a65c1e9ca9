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
