import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { policyDocument, withPolicyTable } from "./policyTable";

const STALE = "npm run tables writes the tables anew";

it("documents the registry as it is", () => {
  expect(readFileSync("docs/policies.md", "utf8"), STALE).toBe(policyDocument());
});

it("lists every policy in the README", () => {
  const readme = readFileSync("README.md", "utf8");
  expect(readme, STALE).toBe(withPolicyTable(readme));
});
