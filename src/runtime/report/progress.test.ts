import { afterEach, expect, test, vi } from "vitest";
import { Progress } from "./progress";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;

afterEach(() => vi.restoreAllMocks());

test("a lane's first token waits for what is shared and for its own work, not for other lanes", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const passes = (ms: number) => () => {
    now += ms;
  };
  const shared = new Progress();
  await shared.time("prefill", passes(1000));
  await shared.time("score", passes(100));
  const lanes = [shared.fork(), shared.fork()];
  for (const lane of lanes) {
    await lane.time("plan", passes(20));
    await lane.time("compact", passes(30));
  }
  for (const lane of lanes) {
    lane.resume();
    now += 7;
    lane.arrive({ id: 1, logProbability: -0.5, ms: 7 });
    now += 40;
    const group = [2, 3].map((id) => lane.arrive({ id, logProbability: -0.2, ms: 20 }));
    expect(group).toEqual([20, 20]);
    now += 500;
    const { ms, logProbabilities } = lane.result({ settings });
    expect(logProbabilities).toEqual([-0.5, -0.2, -0.2]);
    expect(ms.decodePerToken).toEqual({ median: 20, p95: 20 });
    expect(ms).toMatchObject({ prefill: 1000, score: 100, plan: 20, compact: 30 });
    expect(ms.firstToken).toBe(1000 + 100 + 20 + 30 + 7);
  }
});

test("a lane with a prefill of its own does not count the shared one", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const passes = (ms: number) => () => {
    now += ms;
  };
  const shared = new Progress();
  await shared.time("vision", passes(50));
  await shared.time("prefill", passes(1000));
  await shared.time("score", passes(100));
  const lane = shared.fork();
  await lane.time("score", passes(8));
  await lane.time("plan", passes(20));
  now += 300;
  lane.resume();
  lane.prefillsAgain();
  await lane.time("prefill", passes(120));
  lane.arrive({ id: 1, logProbability: -0.5, ms: 0 });
  const { ms } = lane.result({ settings });
  expect(ms).toMatchObject({ vision: 50, prefill: 120, score: 8, plan: 20 });
  expect(ms.firstToken).toBe(50 + 120 + 8 + 20);
});

test("a fork of a planned question counts the plan once", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const passes = (ms: number) => () => {
    now += ms;
  };
  const asked = new Progress();
  await asked.time("prefill", passes(1000));
  await asked.time("plan", passes(20));
  const reference = asked.fork();
  now += 5000;
  reference.resume();
  reference.arrive({ id: 1, logProbability: -0.5, ms: 0 });
  expect(reference.result({ settings }).ms.firstToken).toBe(1020);
});

test("a turn counts the rows of all its segments, and is appended if the first one was", () => {
  const span = { start: 40, rows: 30, visual: [{ start: 2, end: 12 }], textStart: 12 };
  const appended = new Progress();
  expect(appended.begin(40)).toBe(true);
  appended.prefilling(span);
  expect(appended.begin(70)).toBe(false);
  appended.prefilling({ ...span, start: 70, rows: 5, visual: [] });
  expect(appended.result({ settings })).toMatchObject({
    appended: true,
    promptTokens: 35,
    visualTokens: 10,
  });

  const anew = new Progress();
  anew.begin(0);
  anew.prefilling(span);
  anew.begin(30);
  expect(anew.result({ settings }).appended).toBe(false);
});

test("an explanation is in the result if it was asked for, of the last segment alone", () => {
  const importance = { positions: [3], scores: Float32Array.of(1) };
  const asked = new Progress(true);
  asked.planned(importance);
  expect(asked.result({ settings }).explanation).toEqual({ importance });
  asked.planned(undefined);
  expect(asked.result({ settings }).explanation).toEqual({});
  expect(asked.fork().explains).toBe(true);
  expect(new Progress().result({ settings })).not.toHaveProperty("explanation");
});

test("a notice is given once, whatever repeats it", () => {
  const progress = new Progress();
  progress.prepared([], [{ code: "firstFrame" }]);
  const lane = progress.fork();
  const clamped = { code: "windowOnly", rows: 3 } as const;
  lane.notice(clamped, { code: "firstFrame" });
  expect(lane.result({ settings }).notices).toEqual([{ code: "firstFrame" }, clamped]);
  expect(progress.result({ settings }).notices).toEqual([{ code: "firstFrame" }]);
});
