import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "@playwright/test";
import { serveStatic } from "./staticSite";
import { test } from "./test";

const GUIDE = "docs/embedding.md";

/** The first page of docs/embedding.md, made word for word in a folder outside the repository. */
test("the packed package answers in an empty Vite project, as its guide says", async ({ page }) => {
  test.setTimeout(300_000);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-"));
  const project = path.join(root, "my-page");
  fs.mkdirSync(project);
  fs.symlinkSync(process.cwd(), path.join(root, "keepsight"));
  const run = (command: string, folder: string) =>
    execFileSync("bash", ["-ec", command], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { files, commands } = firstPage(fs.readFileSync(GUIDE, "utf8"));
    expect([...files.keys()]).toEqual(["index.html", "main.js"]);
    const [pack = "", ...install] = commands[0]!.trimEnd().split("\n");
    run(`${pack.split("#")[0]} --pack-destination ${root}`, process.cwd());
    run("npm init -y", project);
    for (const [name, text] of files) fs.writeFileSync(path.join(project, name), text);
    // The package lies beside the clone, so that the repository stays clean.
    run(install.join("\n").replace("../keepsight/keepsight-", "../keepsight-"), project);
    run(commands[1]!.split("&&")[0]!, project);

    const installed = fs.readdirSync(path.join(project, "node_modules"));
    expect(installed).not.toContain("react");
    expect(installed).not.toContain("@huggingface");

    const site = await serveStatic("/", path.join(project, "dist"));
    await page.goto(site.url);
    await page.getByLabel("Image").setInputFiles("fixtures/images/receipt.png");
    await page.getByLabel("Question").fill("What is the total?");
    await page.getByRole("button", { name: "Ask" }).click();
    await expect(page.getByRole("status").last()).toHaveText(
      /^KV cache: \d+ bytes instead of \d+$/,
      {
        timeout: 120_000,
      },
    );
    await expect(page.locator("output")).toHaveText("$94.09");
    site.close();
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});

/** The files and shell commands of the guide's first chapter. */
function firstPage(guide: string) {
  const chapter = guide.slice(guide.indexOf("## A first page"), guide.indexOf("## Requirements"));
  const files = new Map(
    [...chapter.matchAll(/^`(\S+)`:\n\n```\w+\n(.*?)^```/gms)].map(([, name, text]) => [
      name!,
      text!,
    ]),
  );
  const commands = [...chapter.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!);
  return { files, commands };
}
