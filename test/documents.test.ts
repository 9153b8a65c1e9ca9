import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { contentPolicy } from "../build/contentPolicy";
import { parseAsk } from "../cli/ask/command";
import { parseEval } from "../cli/eval/command";

const ROOT = path.resolve(import.meta.dirname, "..");
const PLACES = ["docs", "fixtures", "public", "reference", "training"];
/** Folders whose files documents name from the repository's root. */
const NAMED = /^(src|cli|e2e|test|docs|build|fixtures|reference|public|training|examples)\//;
/** Guides that name files for the reader to write. */
const GUIDES = /^docs\/adding-/;

const read = (file: string) => fs.readFileSync(path.join(ROOT, file), "utf8");
const exists = (file: string) => fs.existsSync(path.join(ROOT, file));
const listed = (folder: string, options = {}) =>
  fs.readdirSync(path.join(ROOT, folder), { encoding: "utf8", ...options });

const documents = [
  ...listed("."),
  ...PLACES.flatMap((place) =>
    listed(place, { recursive: true }).map((file) => path.posix.join(place, file)),
  ),
].filter((file) => file.endsWith(".md") && !file.includes("/."));

/** A document's text without its blocks of code. */
const prose = (file: string) => read(file).replace(/^```[\s\S]*?^```/gm, "");

/** The part of an address that the Hub's and GitHub's pages give a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, "")
    .replaceAll(" ", "-");
}

test("every link to a file of the repository, and to a heading in it, leads somewhere", () => {
  const broken = documents.flatMap((file) => {
    const links = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    return links
      .filter((link) => !/^\w+:/.test(link))
      .filter((link) => {
        const [target = "", heading] = link.split("#");
        const at = target === "" ? file : path.posix.join(path.posix.dirname(file), target);
        if (!exists(at)) return true;
        const headings = [...prose(at).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
          anchor(text),
        );
        return heading !== undefined && !headings.includes(heading);
      })
      .map((link) => `${file}: ${link}`);
  });
  expect(documents.length).toBeGreaterThan(25);
  expect(broken).toEqual([]);
});

test("every path and every command that a document names exists", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const missing = documents.flatMap((file) => {
    const paths = [...prose(file).matchAll(/`([\w@./-]+)`/g)]
      .map(([, named = ""]) => named)
      .filter((named) => NAMED.test(named) && !/NAME|FAMILY|AREA|DIR/.test(named))
      .filter((named) => !GUIDES.test(file) && !exists(named));
    const commands = [...read(file).matchAll(/npm run ([\w:]+)/g)]
      .map(([, command = ""]) => command)
      .filter((command) => !(command in scripts));
    return [...paths, ...commands].map((named) => `${file}: ${named}`);
  });
  expect(missing).toEqual([]);
});

test("the README leads to every document of docs", () => {
  const readme = read("README.md");
  const unnamed = listed("docs")
    .filter((file) => file.endsWith(".md"))
    .filter((file) => !readme.includes(`(docs/${file})`));
  expect(unnamed).toEqual([]);
});

test.each([
  ["ask", parseAsk],
  ["eval", parseEval],
])("docs/commands.md has every option of %s", (_, parse) => {
  let usage = "";
  try {
    parse(["--help"]);
  } catch (error) {
    usage = (error as Error).message;
  }
  const options = new Set(usage.match(/(?<![\w-])--[a-z][\w-]+/g));
  expect(options.size).toBeGreaterThan(10);
  const document = read("docs/commands.md");
  const isNamed = (option: string) => new RegExp(`${option}(?![\\w-])`).test(document);
  expect([...options].filter((option) => !isNamed(option))).toEqual([]);
});

test.each(["training", "reference"])("%s/README.md names every script of its folder", (folder) => {
  const document = read(`${folder}/README.md`);
  const scripts = listed(folder).filter((file) => file.endsWith(".py"));
  expect(scripts.length).toBeGreaterThan(10);
  expect(scripts.filter((file) => !document.includes(`\`${file}`))).toEqual([]);
});

test("docs/hosting.md has every directive of the policy", () => {
  const document = read("docs/hosting.md");
  const rows = document.split("\n").filter((line) => line.startsWith("| "));
  const directives = contentPolicy().split("; ");
  const missing = directives.filter((directive) => {
    const [name = "", ...values] = directive.split(" ");
    const cells = [`\`${name}\``, `| \`${values.join(" ")}\` |`];
    return !rows.some((row) => cells.every((cell) => row.includes(cell)));
  });
  expect(directives.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});

test.each([
  ["event", /^ +readonly type: "(\w+)"/gm],
  ["failure", /^ {2}\| "(\w+)"/gm],
])("docs/embedding.md has every kind of %s", (file, kind) => {
  const kinds = [...read(`src/protocol/${file}.ts`).matchAll(kind)].map(([, name]) => name);
  const rows = read("docs/embedding.md").match(/^\| `.*/gm)!;
  expect(kinds.length).toBeGreaterThan(6);
  expect(kinds.filter((name) => !rows.some((row) => row.includes(`\`${name}\``)))).toEqual([]);
});

test("ARCHITECTURE.md has the module boundaries that lint enforces", () => {
  const architecture = read("ARCHITECTURE.md");
  const enforced = [...read("borders.grit").matchAll(/\$may = "([^"]+)"/g)].map(([, may]) => may!);
  expect(new Set(enforced).size).toBeGreaterThan(8);
  const rows = [...architecture.matchAll(/^\| .* \| (.*) \|$/gm)].map(([, cell = ""]) =>
    cell.replaceAll("`", ""),
  );
  expect(enforced.filter((may) => !rows.includes(may))).toEqual([]);
});

test("every member of a type that ARCHITECTURE.md names exists", () => {
  const sources = listed("src", { recursive: true })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => read(`src/${file}`));
  const members = [...prose("ARCHITECTURE.md").matchAll(/`([A-Z]\w+)\.(\w+)`/g)];
  expect(members.length).toBeGreaterThan(10);
  const missing = members.filter(([, type, member]) => {
    const declares = new RegExp(`^(export )?(abstract )?(class|interface|type) ${type}\\b`, "m");
    const has = new RegExp(`^ +(readonly |static |async )*#?${member}\\b`, "m");
    return !sources.some((text) => declares.test(text) && has.test(text));
  });
  expect(missing.map(([text]) => text)).toEqual([]);
});
