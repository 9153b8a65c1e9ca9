import { describe } from "vitest";
import { describeContract } from "../../test/policyContract";
import { POLICIES } from "./registry";

describe.each(POLICIES.map((policy) => [policy.id, policy] as const))("%s", (_, policy) => {
  describeContract(policy);
});
