import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { policyDocument, policyTable } from "./policyTable";

it("documents the registry as it is", async () => {
  await expect(policyDocument()).toMatchFileSnapshot("../../docs/policies.md");
});

it("lists every policy in the README", () => {
  const section = /<!-- policies -->\n([\s\S]*?)\n<!-- \/policies -->/.exec(
    readFileSync("README.md", "utf8"),
  );
  expect(section?.[1]).toBe(policyTable());
});
