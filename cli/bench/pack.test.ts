import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { bundle } from "./pack";

it("bundles both commands with all their kernels into one file", async () => {
  const file = path.join(fs.mkdtempSync(path.join(tmpdir(), "pack-")), "bench.mjs");
  await bundle(file);
  const code = fs.readFileSync(file, "utf8");
  // Kernels that are imported by a path from `src`, and by one relative to their wrapper.
  for (const kernel of ["outer", "attend_split"]) expect(code).toContain(`// ${kernel}: `);
  expect(code).not.toMatch(/from "@\//);
  fs.rmSync(path.dirname(file), { recursive: true });
}, 60_000);
