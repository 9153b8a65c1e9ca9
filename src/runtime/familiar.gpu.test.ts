import fs from "node:fs";
import { expect, it, vi } from "vitest";
import { greedy } from "@/protocol/defaults";
import type { AskRequest, Turn } from "@/protocol/request";
import { createTestEngine, pictureFile } from "../../test/engine";
import { FAMILY_FIXTURES } from "../../test/families";
import { diskFetch, diskUrl } from "../../test/files";

const MODEL = `${FAMILY_FIXTURES}/smolvlm2`;
const NOTICE = { code: "unfamiliarImage" };
const DIRECTION = 1;

const engine = createTestEngine();

/** The model's directory with a threshold in its card, and a mean of zeros with one direction of ones. */
function withThreshold(familiarBelow: number): typeof fetch {
  const config = JSON.parse(fs.readFileSync(`${MODEL}/config.json`, "utf8"));
  const width: number = config.text_config.hidden_size;
  const rows = new Float32Array(2 * width).fill(DIRECTION, width);
  return (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.endsWith("/config.json")) {
      return Promise.resolve(Response.json({ ...config, keepsight: { familiarBelow } }));
    }
    if (url.endsWith("/familiar.bin")) return Promise.resolve(new Response(rows));
    return diskFetch(input, init);
  };
}

function asked(turns: readonly Turn[]): AskRequest {
  return {
    turns,
    images: { a: pictureFile("busy") },
    settings: { policy: "full", retention: 1, scope: "visual", options: {} },
    sampling: greedy(4),
  };
}

it("says of an image beyond the threshold that it is unfamiliar, also after its cache is restored", async () => {
  vi.stubGlobal("fetch", withThreshold(1e-6));
  await engine.load({ baseUrl: diskUrl(MODEL) });
  const first = { images: ["a"], question: "What is it?" };
  const { tokenIds } = await engine.ask(asked([first]));
  const kept = await engine.saveCache();
  const turns = [
    { ...first, answerIds: tokenIds },
    { images: [], question: "And where?" },
  ];

  vi.stubGlobal("fetch", withThreshold(1e6));
  await engine.load({ baseUrl: diskUrl(MODEL) });
  expect(await engine.restoreCache(kept!)).toBe(true);
  const further = await engine.ask(asked(turns));
  expect(further.appended, "its features are not computed again").toBe(true);
  expect(further.notices).toContainEqual(NOTICE);

  await engine.clear();
  expect((await engine.ask(asked(turns))).notices).not.toContainEqual(NOTICE);
});

it("says of an image beyond the threshold that it is unfamiliar, also at a further question", async () => {
  vi.stubGlobal("fetch", withThreshold(1e-6));
  await engine.load({ baseUrl: diskUrl(MODEL) });
  const first = { images: ["a"], question: "What is it?" };
  const { notices, tokenIds } = await engine.ask(asked([first]));
  expect(notices).toContainEqual(NOTICE);
  const turns = [
    { ...first, answerIds: tokenIds },
    { images: [], question: "And where?" },
  ];
  const further = await engine.ask(asked(turns));
  expect(further.appended).toBe(true);
  expect(further.notices).toContainEqual(NOTICE);

  vi.stubGlobal("fetch", withThreshold(1e6));
  await engine.load({ baseUrl: diskUrl(MODEL) });
  expect((await engine.ask(asked([first]))).notices).not.toContainEqual(NOTICE);
});
