import fs from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

/** Licences that allow to ship a package with this page, by their SPDX names. */
const ACCEPTED = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "OFL-1.1",
]);

/** Holders of the copyright of packages that come without the text of their licence. */
const HOLDERS: Readonly<Record<string, string>> = {
  "guid-typescript": "nicolas",
  "onnxruntime-common": "Microsoft Corporation",
  "onnxruntime-web": "Microsoft Corporation",
};

/** What else a package's authors ask to pass on. */
const NOTES: Readonly<Record<string, string>> = {
  "onnxruntime-web":
    "Its WebAssembly file contains parts of other authors, listed in\n" +
    "https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt",
};

const FILE = "licences.txt";
const RULE = `\n\n${"=".repeat(80)}\n\n`;

/**
 * Writes `licences.txt`: the licence of this project, then those of every package with code or files in the
 * build, and of the packages that these depend on, which they may contain.
 */
export class Licences {
  readonly #root: string;
  readonly #folders = new Set<string>();

  /** @param root folder of the project */
  constructor(root: string) {
    this.#root = root;
  }

  /** Collects packages; a build of a worker needs a plugin of its own. */
  collect(): Plugin {
    return {
      name: "licences-collect",
      apply: "build",
      transform: (_, id) => {
        const folder = packageOf(id, this.#root);
        if (folder !== undefined) this.#folders.add(folder);
        return null;
      },
    };
  }

  /** @throws Error for a package whose licence is unknown or not accepted */
  write(): Plugin {
    const text = () => this.text();
    return {
      name: "licences-write",
      apply: "build",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: FILE, source: text() });
      },
    };
  }

  text(): string {
    const found = new Map<string, string>();
    for (const folder of this.#folders) addLicence(folder, found);
    const own = fs.readFileSync(path.join(this.#root, "LICENSE"), "utf8");
    const others = [...found].sort(([a], [b]) => a.localeCompare(b)).map(([, text]) => text);
    return `${[`Keepsight\n\n${own.trim()}`, ...others].join(RULE)}\n`;
  }
}

/** The folder of the package that a module belongs to; code of Vite itself has an id without a path. */
export function packageOf(id: string, root: string): string | undefined {
  const own = /^\0?(vite|rolldown)\//.exec(id)?.[1];
  if (own) return path.join(root, "node_modules", own);
  const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/@]+)\//.exec(id.replaceAll("\\", "/"));
  return found?.[1];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Adds a package's licence and those of its dependencies, by name and version. */
function addLicence(folder: string, found: Map<string, string>): void {
  const manifest: Manifest = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const title = `${manifest.name} ${manifest.version}`;
  if (found.has(title)) return;
  found.set(title, `${title}\n\n${licenceOf(folder, manifest)}`);
  // Vite's own dependencies run on the machine that builds.
  if (manifest.name === "vite" || manifest.name === "rolldown") return;
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const dependency = resolve(name, folder);
    if (dependency !== undefined && !isUnshipped(name, dependency)) addLicence(dependency, found);
  }
}

/** Types have no code, and the stub has none either. */
function isUnshipped(name: string, folder: string): boolean {
  return (
    name.startsWith("@types/") || fs.realpathSync(folder).endsWith(path.join("stubs", "empty"))
  );
}

function resolve(name: string, from: string): string | undefined {
  for (let at = from; at !== path.dirname(at); at = path.dirname(at)) {
    const folder = path.join(at, "node_modules", name);
    if (fs.existsSync(folder)) return folder;
  }
  return undefined; // an optional dependency that is not installed
}

function licenceOf(folder: string, { name, license }: Manifest): string {
  if (typeof license !== "string" || !ACCEPTED.has(license)) {
    throw new Error(`The licence of ${name} is ${JSON.stringify(license)}, which is not accepted.`);
  }
  const note = NOTES[name] ? `\n\n${NOTES[name]}` : "";
  const files = fs.readdirSync(folder).filter((file) => /^(licen[cs]e|notice)\b/i.test(file));
  const texts = files.map((file) => fs.readFileSync(path.join(folder, file), "utf8").trim());
  if (texts.length > 0) return `Licence: ${license}\n\n${texts.join("\n\n")}${note}`;
  const holder = HOLDERS[name];
  if (holder === undefined) throw new Error(`${name} comes without the text of its licence.`);
  const text = fs.readFileSync(new URL(`licences/${license}.txt`, import.meta.url), "utf8");
  return `Licence: ${license}\n\nCopyright (c) ${holder}\n\n${text.trim()}${note}`;
}
