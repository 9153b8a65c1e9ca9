import fs from "node:fs";
import { policyDocument, withPolicyTable } from "@/compression/policyTable";
import { withModelTable } from "./modelTable";

/** Writes the tables of README.md and docs/policies.md from the registries. */
export async function main(): Promise<number> {
  fs.writeFileSync("docs/policies.md", policyDocument());
  const readme = fs.readFileSync("README.md", "utf8");
  fs.writeFileSync("README.md", withModelTable(withPolicyTable(readme)));
  return 0;
}
