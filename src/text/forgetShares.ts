/** The parts of an answered turn that a calibration needs. */
interface ForgetSample {
  readonly layers: readonly { readonly rowsBefore: number; readonly rowsAfter: number }[];
  readonly scope: "visual" | "prompt";
  readonly promptTokens: number;
  readonly visualTokens: number;
}

/**
 * Share of the candidate rows that each layer dropped, averaged over prompts: PrefixKV's offline
 * configuration for its option `forget`. Six decimals.
 */
export function forgetShares(samples: readonly ForgetSample[]): number[] {
  const layers = samples[0]?.layers ?? [];
  return layers.map((_, layer) => {
    const shares = samples.map(({ layers: rows, scope, promptTokens, visualTokens }) => {
      const { rowsBefore, rowsAfter } = rows[layer]!;
      return (rowsBefore - rowsAfter) / (scope === "visual" ? visualTokens : promptTokens);
    });
    return Number((shares.reduce((a, b) => a + b, 0) / shares.length).toFixed(6));
  });
}
