import fs from "node:fs";
import { policyDocument, withPolicyTable } from "@/compression/policyTable";
import { withModelTable } from "./tables/modelTable";
import { PUBLISHED_TABLE, publishedOutlines } from "./tables/publishedModels";

/** Writes the tables of README.md, docs/policies.md and the page's list of models. */
export async function main(): Promise<number> {
  fs.writeFileSync("docs/policies.md", policyDocument());
  const readme = fs.readFileSync("README.md", "utf8");
  fs.writeFileSync("README.md", withModelTable(withPolicyTable(readme)));
  const outlines = JSON.stringify(await publishedOutlines(), undefined, 2);
  fs.writeFileSync(PUBLISHED_TABLE, `${outlines}\n`);
  return 0;
}
