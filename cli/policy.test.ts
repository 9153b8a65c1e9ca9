import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { main } from "./policy";

const FIXTURE = "fixtures/kv-golden/aircache_ref_01.json";
const folder = mkdtempSync(path.join(tmpdir(), "policy-"));
let written = "";

function listen(): void {
  written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += String(text);
    return true;
  });
}

/** A copy of the fixture with fields replaced. */
function changed(fields: Readonly<Record<string, unknown>>): string {
  const file = path.join(folder, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(FIXTURE, "utf8")), ...fields }));
  return file;
}

describe("npm run policy", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("ends with its usage and success for --help", async () => {
    await expect(main(["--help"])).rejects.toMatchObject({
      exitCode: 0,
      message: expect.stringMatching(/^npm run policy -- --fixture FILE/),
    });
  });

  it("prints the fields of expected with our values, and exits with 0 when they agree", async () => {
    listen();
    expect(await main(["--fixture", FIXTURE, "--json", "-"])).toBe(0);
    const result = JSON.parse(written);
    const { expected } = JSON.parse(readFileSync(FIXTURE, "utf8"));
    expect(Object.keys(result.actual)).toEqual(expect.arrayContaining(Object.keys(expected)));
    expect(result).toMatchObject({ agrees: true, policies: ["aircache"], differences: [] });
    expect(result.actual.kept_visual_waterfill).toEqual(expected.kept_visual_waterfill);
  });

  it("exits with 1 and names the field when one row differs", async () => {
    listen();
    const { expected } = JSON.parse(readFileSync(FIXTURE, "utf8"));
    expected.kept_visual_waterfill[0][0] += 1;
    expected.strength_norm[0] += 1;
    const file = changed({ expected });
    expect(await main(["--fixture", file])).toBe(1);
    expect(written).toContain("✗ kept_visual_waterfill[0]");
    expect(written).toContain("✗ strength_norm ");
    expect(written).toContain("✓ strength ");
  });

  it.each([
    ["an unknown method", { method: "magic" }, /"magic" is not/],
    ["no attention", { inputs: {} }, /neither attention nor/],
    ["a cut-off array", { inputs: { attn_tri: "AAAA" } }, /cut off/],
    ["no parameters", { params: {} }, /image_span is missing/],
  ])("refuses a file with %s in one sentence", async (_, fields, message) => {
    const file = changed(fields);
    await expect(main(["--fixture", file])).rejects.toMatchObject({ exitCode: 1 });
    await expect(main(["--fixture", file])).rejects.toThrow(message);
  });

  it("tells usage from bad input", async () => {
    await expect(main([])).rejects.toMatchObject({ exitCode: 2 });
    await expect(main(["--fixtures", "x"])).rejects.toMatchObject({ exitCode: 2 });
    await expect(main(["--fixture", "no-such-file"])).rejects.toMatchObject({ exitCode: 1 });
    await expect(main(["--fixture", "LICENSE"])).rejects.toMatchObject({ exitCode: 1 });
  });
});
