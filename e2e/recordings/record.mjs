/**
 * Records the real engine on the sample receipt, for the page's tests:
 *   npm start -- --port 4193 &
 *   node e2e/recordings/record.mjs http://127.0.0.1:4193/ e2e/recordings/receipt.json [RETENTION]
 * RETENTION is what AirCache keeps, a tenth if it is absent.
 * Needs what `npm test` needs. Times are machine-dependent; no test depends on them.
 * The tests need, under PrefixKV, one answer equal to the full cache's and one with as many words of which some differ.
 */
import fs from "node:fs";
import { deflateSync } from "node:zlib";
import { chromium } from "@playwright/test";

const [site, file, retention = "0.1"] = process.argv.slice(2);
if (!site || !file) throw new Error("usage: record.mjs SITE FILE [RETENTION]");

const QUESTIONS = ["What is the total?", "What is the date?", "List the items."];
const SETTINGS = [
  { policy: "full", retention: 1 },
  { policy: "aircache", retention: Number(retention) },
  { policy: "prefixkv", retention: 0.2 },
];

const { executablePath, args, env } = JSON.parse(
  fs.readFileSync("node_modules/.cache/keepsight/browser.json", "utf8"),
);
const browser = await chromium.launch({
  executablePath,
  args,
  env: { ...process.env, ...env },
});
try {
  const page = await browser.newPage();
  await page.goto(new URL("headless.html", site).href);
  await page.waitForFunction(() => "keepsight" in window);
  const recording = await page.evaluate(record, [QUESTIONS, SETTINGS]);
  fs.writeFileSync(file, `${JSON.stringify(recording, deflated)}\n`);
} finally {
  await browser.close();
}

/** Bytes come out of the page in base64; `RecordedExplanation` has them deflated. */
function deflated(key, value) {
  if (key !== "scores" && key !== "cells") return value;
  const bytes = Uint8Array.from(Buffer.from(value, "base64"));
  if (key === "scores") shorten(new Uint32Array(bytes.buffer));
  return deflateSync(bytes, { level: 9 }).toString("base64");
}

/** Rounds floats to 11 fractional bits: random low bits do not compress and are not visible. */
function shorten(floats) {
  for (let i = 0; i < floats.length; i++) floats[i] &= 0xfffff000;
}

/** Runs in the page: one load, then every question under every setting, each with a new prefill. */
async function record([questions, settingsList]) {
  const engine = window.keepsight;
  let events = [];
  let start = 0;
  engine.subscribe((event) => {
    events.push({ at: Math.round(performance.now() - start), event });
  });
  const begin = () => {
    events = [];
    start = performance.now();
  };
  // Values returned from a page are JSON.
  const base64 = ({ buffer }) =>
    btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
  const inBase64 = ({ importance, attention }) => ({
    ...(importance && { importance: { ...importance, scores: base64(importance.scores) } }),
    attention: { ...attention, cells: base64(attention.cells) },
  });
  begin();
  const info = await engine.load({
    baseUrl: new URL("models/keepsight-mini/", document.baseURI).href,
  });
  const load = { events, info };
  const picture = await (await fetch("samples/receipt.png")).blob();
  const answers = [];
  for (const question of questions) {
    for (const { policy, retention } of settingsList) {
      begin();
      const result = await engine.ask({
        turns: [{ images: ["receipt"], question }],
        images: { receipt: picture },
        settings: { policy, retention, scope: "visual", options: {} },
        sampling: { maxNewTokens: 160, temperature: 0, topK: 0, topP: 1, seed: 0 },
        fresh: true,
        explain: true,
      });
      const explanation = inBase64(result.explanation);
      answers.push({ question, policy, retention, events, result: { ...result, explanation } });
    }
  }
  return { load, answers };
}
