import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { policyTable } from "@/compression/policyTable";
import { POLICIES, policyById } from "@/compression/registry";
import { TAPS } from "@/compression/taps/registry";
import type { Policy } from "@/compression/types";
import { zh } from "@/language/zh/zh";
import { readAddress } from "@/store/settings/address";
import { changedOptions } from "@/store/settings/policyInfo";
import { parseAsk } from "../cli/ask/command";
import { valueNorm } from "../docs/examples/valueNorm";
import "../docs/examples/valueNorm.test";
import { describeContract } from "./policyContract";

// The guide's one line in the registry.
(POLICIES as Policy[]).push(valueNorm);

describe("the policy that the guide adds", () => {
  it.each(["valueNorm.ts", "valueNorm.test.ts"])("is printed there as it stands: %s", (name) => {
    const guide = readFileSync("docs/adding-a-policy.md", "utf8");
    const code = readFileSync(`docs/examples/${name}`, "utf8");
    // Among the policies, imports are relative.
    const there = code.replaceAll('"@/compression/', '"../../');
    expect(guide).toContain(`\`\`\`ts\n${there}\`\`\``);
  });

  it("has its texts in Chinese there, but for those that others have", () => {
    const guide = readFileSync("docs/adding-a-policy.md", "utf8");
    const { label, summary, options } = valueNorm;
    const texts = [
      label,
      summary,
      ...Object.values(options).flatMap((each) => [each.label, each.help]),
    ];
    const own = texts.filter((text) => zh.policy(text) === text);
    expect(own.filter((text) => !guide.includes(`  "${text}": "`))).toEqual([]);
  });

  it("can choose from a table of all taps", () => {
    const guide = readFileSync("docs/adding-a-policy.md", "utf8");
    const listed = [...guide.matchAll(/^\| `(\w+)` \| `(?:true|\{.*\})` \|/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual(Object.keys(TAPS));
  });

  it("is reached by its line in the registry alone: command line, address, form and tables", () => {
    expect(policyById("valuenorm")).toBe(valueNorm);
    const asked = ["--prompt", "x", "--policy", "valuenorm", "--option", "recent=3"];
    expect(parseAsk(asked).settings).toMatchObject({ policy: "valuenorm", options: { recent: 3 } });
    const { options } = readAddress("?policy=valuenorm&o.recent=3", POLICIES);
    expect(changedOptions(valueNorm, options!.valuenorm!)).toEqual([
      { label: "Recents", value: 3 },
    ]);
    expect(policyTable()).toContain("| `valuenorm` | Value norm | Keeps the values with");
  });

  describeContract(valueNorm);
});
