import fs from "node:fs";
import { policyDocument, withPolicyTable } from "@/compression/policyTable";

/** Writes the policy tables of README.md and docs/policies.md from the registry. */
export async function main(): Promise<number> {
  fs.writeFileSync("docs/policies.md", policyDocument());
  fs.writeFileSync("README.md", withPolicyTable(fs.readFileSync("README.md", "utf8")));
  return 0;
}
