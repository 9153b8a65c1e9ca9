import { afterEach, expect, test, vi } from "vitest";
import { Progress } from "./progress";

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
  const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;
  for (const lane of lanes) {
    lane.resume();
    now += 7;
    lane.arrive(1);
    now += 500;
    const { ms } = lane.result({ settings });
    expect(ms).toMatchObject({ prefill: 1000, score: 100, plan: 20, compact: 30 });
    expect(ms.firstToken).toBe(1000 + 100 + 20 + 30 + 7);
  }
});
