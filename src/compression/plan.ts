import { rowsPerLayer } from "./blocks/select";
import { checkPlan, PlanError } from "./keepPlan";
import type { OptionValues } from "./options";
import { resolveOptions } from "./resolveOptions";
import { keepAll } from "./sharedOptions";
import { type KeepPlan, type PlanInput, type Policy, PolicyError } from "./types";

/**
 * A policy's plan, checked against the contract: retention 1 keeps everything, the budget is
 * feasible, and the plan keeps valid rows, every row outside of C, and as many rows as the budget
 * says.
 *
 * @param options complete or partial; validated and completed.
 * @throws PolicyError for invalid options, Error for a defect of the policy.
 */
export function planFor(policy: Policy, input: PlanInput, options: OptionValues = {}): KeepPlan {
  const settled = resolveOptions(policy, options);
  if (!(input.retention > 0 && input.retention <= 1)) {
    throw new PolicyError(`Retention must be above 0 and at most 1, not ${input.retention}.`);
  }
  const { candidates, layers, budget } = input;
  if (budget < Math.min(layers, candidates.length * layers)) {
    throw new PolicyError(`A budget of ${budget} rows leaves some of ${layers} layers empty.`);
  }
  if (input.retention === 1 || budget >= candidates.length * layers) return keepAll(input);
  const plan = policy.plan(input, settled);
  checkContract(policy, input, plan, settled);
  return plan;
}

/** @throws Error if a plan violates the contract, which is a defect of the policy. */
function checkContract(
  policy: Policy,
  input: PlanInput,
  plan: KeepPlan,
  options: OptionValues,
): void {
  const fail = (what: string) => new Error(`${policy.id} broke the contract: ${what}`);
  try {
    checkPlan(plan, { ...input, rows: () => input.rows });
  } catch (error) {
    throw error instanceof PlanError ? fail(error.message) : error;
  }
  const inside = new Uint8Array(input.rows);
  for (const row of input.candidates) inside[row] = 1;
  const outside = input.rows - input.candidates.length;
  plan.layers.forEach(({ keep }, layer) => {
    for (const rows of keep) {
      if (rows.filter((row) => inside[row] === 0).length !== outside)
        throw fail(`layer ${layer} drops a row that is no candidate`);
    }
  });
  const rows = rowsPerLayer(input, plan);
  const total = rows.reduce((a, b) => a + b, 0);
  if (policy.deviation?.(options) === undefined) {
    if (Math.abs(total - input.budget) > 1e-6) throw fail(`${total} rows for ${input.budget}`);
    return;
  }
  if (policy.beforePrefill) {
    if (rows.some((count) => count !== rows[0])) throw fail(`its layers keep ${rows} rows`);
    return;
  }
  const promised = policy.deviantRows?.(input, options) ?? [];
  if (rows.some((count, layer) => Math.abs(count - promised[layer]!) > 1e-6)) {
    throw fail(`${rows} rows per layer instead of ${promised}`);
  }
}
