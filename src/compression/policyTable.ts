import type { OptionSpec, OptionSpecs } from "./options";
import { POLICIES } from "./registry";
import { resolveOptions } from "./resolveOptions";
import { SHARED_OPTIONS } from "./sharedOptions";
import type { Policy } from "./types";

/** The registry as Markdown: one table row per policy. */
export function policyTable(): string {
  const rows = POLICIES.map(
    (policy) => `| \`${policy.id}\` | ${policy.label} | ${policy.summary} | ${links(policy)} |`,
  );
  return ["| id | policy | what it keeps | sources |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** The README with the table between its markers. */
export function withPolicyTable(readme: string): string {
  const section = /(<!-- policies -->\n)[\s\S]*?(\n<!-- \/policies -->)/;
  if (!section.test(readme)) throw new RangeError("the README lacks the markers of its table");
  return readme.replace(section, (_, start, end) => `${start}${policyTable()}${end}`);
}

/** The whole of docs/policies.md. */
export function policyDocument(): string {
  return [
    "# Policies",
    "",
    "Written from the registry by `npm run tables`. Retention is the fraction kept. Every policy keeps exactly",
    "max(L, round(retention · candidates · L)) candidate rows over its L layers, unless a variant below says otherwise.",
    "What each policy keeps, with its sources: [README](../README.md#policies).",
    "",
    "## Options",
    "",
    "`--option name=value` on the command line, `o.name=value` in the page's address.",
    "",
    "### Every policy but `full` and those before the prefill",
    "",
    ...optionTable(SHARED_OPTIONS),
    ...POLICIES.flatMap(optionSection),
  ].join("\n");
}

function links({ paper, release }: Policy): string {
  const paperLink = paper ? [`[${paper.venue}](${paper.url})`] : [];
  return [...paperLink, ...(release ? [`[code](${release})`] : [])].join(", ") || "–";
}

function optionSection(policy: Policy): string[] {
  const own = Object.entries(policy.options).filter(([name]) => !(name in SHARED_OPTIONS));
  const said = deviations(policy);
  if (own.length === 0 && said.length === 0) return [];
  const table = own.length > 0 ? optionTable(Object.fromEntries(own)) : [];
  return [`### ${policy.label} (\`${policy.id}\`)`, "", ...table, ...said];
}

function optionTable(options: OptionSpecs): string[] {
  const rows = Object.entries(options).map(
    ([name, spec]) => `| \`${name}\` | ${allowed(spec)} | ${spec.default} | ${spec.help} |`,
  );
  const head = ["| option | values | default | meaning |", "| --- | --- | --- | --- |"];
  return [...head, ...rows, ""];
}

/** Variants that leave the exact budget, with the sentence that the screen shows. */
function deviations(policy: Policy): string[] {
  const defaults = resolveOptions(policy);
  if (policy.beforePrefill) return [policy.deviation?.(defaults) ?? "", ""];
  const found = Object.entries(policy.options).flatMap(([name, spec]) => {
    if (spec.kind !== "choice") return [];
    const saidOf = (value: string) => policy.deviation?.({ ...defaults, [name]: value });
    return [...new Set(spec.values.map(saidOf))].flatMap((said) => {
      const which = spec.values.filter((value) => saidOf(value) === said);
      return said ? [`- \`${name}=${which.join("`, `")}\`: ${said}`] : [];
    });
  });
  return found.length > 0 ? [...found, ""] : [];
}

function allowed(spec: OptionSpec): string {
  if (spec.kind === "choice") return spec.values.join(", ");
  return spec.kind === "number" ? `${spec.min} … ${spec.max}` : "text";
}
