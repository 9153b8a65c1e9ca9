import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { policyById } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import { parseAsk } from "./command";

const receipt = "fixtures/images/receipt.png";

describe("parseAsk", () => {
  it("gives each image to the prompt after it", () => {
    const { turns, images } = parseAsk([
      ...["--prompt", "Hello?", "--image", receipt, "--image", receipt, "--prompt", "And these?"],
    ]);
    expect(turns).toEqual([
      { images: [], question: "Hello?" },
      { images: ["0-receipt.png", "1-receipt.png"], question: "And these?" },
    ]);
    expect(Object.keys(images)).toHaveLength(2);
  });

  it("reads options as numbers where they are numbers", () => {
    const { settings } = parseAsk([
      "--prompt",
      "x",
      "--option",
      "alpha=0.8",
      "--option",
      "window=last16",
    ]);
    expect(settings.options).toEqual({ alpha: 0.8, window: "last16" });
  });

  it("takes an option by the name that it had", () => {
    const { settings } = parseAsk([
      ...["--prompt", "x", "--policy", "lookm", "--option", "reading=effivlm"],
    ]);
    const options = resolveOptions(policyById(settings.policy), settings.options);
    expect(options).toMatchObject({ variant: "effivlm" });
    expect(options).not.toHaveProperty("reading");
  });

  it("takes options of a policy that the lanes or the prompts before them have", () => {
    const given = ["--prompt", "x", "--policy", "snapkv", "--option", "window=8", "--compare"];
    const { lanes } = parseAsk([...given, "full:1,snapkv:0.1"]);
    expect(lanes.map(({ options }) => options)).toEqual([{}, { window: 8 }]);
    expect(parseAsk([...given, "full:1", "--prompt", "y"]).settings.options).toEqual({ window: 8 });
  });

  it.each([
    [[], 2],
    [["--prompt", "x", "--image", receipt], 2, /--prompt/],
    [["--prompt", "x", "--retention", "0"], 2, /retention/],
    [["--prompt", "x", "--retention", "1.5"], 2, /retention/],
    [["--prompt", "x", "--policy", "nonsense"], 2, /nonsense/],
    [["--prompt", "x", "--image", "no/such.png"], 1, /no\/such.png/],
    [["--image", "no/such.png", "--prompt", "x"], 1, /no\/such.png/],
    [["--prompt", "x", "--model", "no/such/model"], 1, /no\/such\/model/],
    [
      ["--prompt", "x", "--compare", "full:1", "--policy", "snapkv", "--option", "window=8"],
      2,
      /no lane/,
    ],
    [["--unknown"], 2, /unknown/],
  ] as const)("refuses %j with status %d", (argv, status, sentence = /prompt/) => {
    try {
      parseAsk(argv);
      expect.unreachable();
    } catch (error) {
      expect((error as { exitCode: number }).exitCode).toBe(status);
      expect((error as Error).message).toMatch(sentence);
    }
  });
});

it("takes a folder as frames of a video, in the order of their names", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "frames-"));
  for (const name of ["10.png", "2.png", "notes.txt"])
    fs.writeFileSync(path.join(folder, name), "");
  const { turns, images, frames } = parseAsk([
    "--frames",
    `${folder}:8`,
    "--prompt",
    "What happens?",
  ]);
  const keys = turns[0]!.images;
  expect(keys.map((key) => path.basename(images[key]!))).toEqual(["2.png", "10.png"]);
  expect(keys.map((key) => frames![key])).toEqual([
    { video: folder, seconds: 2, duration: 8 },
    { video: folder, seconds: 6, duration: 8 },
  ]);
  expect(() => parseAsk(["--frames", folder, "--prompt", "?"])).toThrow("DIR:SECONDS");
  fs.rmSync(folder, { recursive: true });
});
