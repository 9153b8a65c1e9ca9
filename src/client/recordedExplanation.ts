import type { AnswerAttention, Explanation } from "@/protocol/result";

/** `Explanation` in JSON: its arrays' bytes (little-endian), deflated, in base64. */
export interface RecordedExplanation {
  readonly importance?: { readonly positions: readonly number[]; readonly scores: string };
  readonly attention?: Omit<AnswerAttention, "cells"> & { readonly cells: string };
}

/** Decodes a recorded explanation. */
export async function decoded({
  importance,
  attention,
}: RecordedExplanation): Promise<Explanation> {
  return {
    ...(importance && {
      importance: {
        ...importance,
        scores: new Float32Array((await inflated(importance.scores)).buffer),
      },
    }),
    ...(attention && { attention: { ...attention, cells: await inflated(attention.cells) } }),
  };
}

async function inflated(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The part of an explanation that covers the first tokens. */
export function cutTo(explanation: Explanation, tokens: number): Explanation {
  const { attention } = explanation;
  if (!attention || attention.steps <= tokens) return explanation;
  const cells = attention.cells.slice(0, tokens * attention.layers * attention.positions.length);
  const ends = attention.ends.slice(0, tokens);
  return { ...explanation, attention: { ...attention, steps: tokens, ends, cells } };
}
