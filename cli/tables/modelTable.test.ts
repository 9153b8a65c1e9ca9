import fs from "node:fs";
import { expect, it } from "vitest";
import { withModelTable } from "./modelTable";

it("stands in the README as the registry has it", () => {
  const readme = fs.readFileSync("README.md", "utf8");
  expect(readme, "run `npm run tables`").toBe(withModelTable(readme));
  expect(() => withModelTable("# No table")).toThrow("markers");
});
