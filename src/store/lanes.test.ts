import { expect, test } from "vitest";
import { createLanes, usualLanes } from "./lanes";
import type { PolicyInfo } from "./policyInfo";
import { createSettingsStore } from "./settings";

const policies: readonly PolicyInfo[] = ["full", "aircache", "prefixkv", "streaming"].map((id) => ({
  id,
  label: id,
  summary: "",
  options: {},
}));

function setUp() {
  let ids = 0;
  const settings = createSettingsStore({ policy: "prefixkv", keepPercent: 20, scope: "prompt" });
  return createLanes(settings, policies, () => `id${ids++}`);
}

test("the usual lanes are the full cache, the current settings and a window of as many rows", () => {
  const names = (policy: string) =>
    usualLanes({ policy, keepPercent: 20 }, policies).map((lane) => lane.policy);
  expect(names("prefixkv")).toEqual(["full", "prefixkv", "streaming"]);
  expect(names("full")).toEqual(["full", "streaming", "aircache"]);
  expect(names("streaming")).toEqual(["full", "streaming", "aircache"]);
});

test("lanes carry the scope of the settings, and the full cache keeps everything", () => {
  const lanes = setUp();
  lanes.toggle();
  expect(lanes.settings()).toMatchObject([
    { policy: "full", retention: 1 },
    { policy: "prefixkv", retention: 0.2, scope: "prompt" },
    { policy: "streaming", retention: 0.2 },
  ]);
});

test("there are never fewer than two lanes, nor more than four", () => {
  const lanes = setUp();
  lanes.toggle();
  const count = () => lanes.store.getState().lanes.length;
  const remove = () => lanes.remove(lanes.store.getState().lanes[0]!.id);
  lanes.add();
  lanes.add();
  expect(count()).toBe(4);
  for (let turn = 0; turn < 4; turn++) remove();
  expect(count()).toBe(2);
});

test("lanes end with their question, unless they are pinned", () => {
  const lanes = setUp();
  lanes.toggle();
  lanes.asked();
  expect(lanes.store.getState().isOn).toBe(false);
  lanes.toggle();
  lanes.change(lanes.store.getState().lanes[1]!.id, { keepPercent: 5 });
  lanes.pin(true);
  lanes.asked();
  expect(lanes.store.getState().isOn).toBe(true);
  expect(lanes.settings()[1]).toMatchObject({ policy: "prefixkv", retention: 0.05 });
});
