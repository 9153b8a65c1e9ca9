import { expect, test } from "vitest";
import type { OptionValues } from "@/compression/options";
import type { PolicyInfo } from "../settings/policyInfo";
import { createSettingsStore } from "../settings/settings";
import { createComparisonSetup, usualLanes } from "./comparisonSetup";

const alpha = { label: "", help: "", min: 0, max: 1, integer: false, default: 0.9 };
const policies: readonly PolicyInfo[] = ["full", "aircache", "prefixkv", "streaming"].map((id) => ({
  id,
  label: id,
  summary: "",
  options: id === "aircache" ? { alpha: { kind: "number", ...alpha } } : {},
}));

function setUp(options: Record<string, OptionValues> = {}, earlierPercent?: number) {
  let ids = 0;
  const chosen = { policy: "prefixkv", keepPercent: 20, scope: "prompt", options } as const;
  const settings = createSettingsStore({ ...chosen, earlierPercent });
  return createComparisonSetup(settings, policies, () => `id${ids++}`);
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

test("lanes keep as much of earlier images as a question would, but for the full cache", () => {
  const lanes = setUp({}, 25);
  lanes.toggle();
  const shares = lanes.settings().map(({ earlierRetention }) => earlierRetention);
  expect(shares).toEqual([undefined, 0.25, 0.25]);
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

test("lanes end with their question where none is pinned", () => {
  const lanes = setUp();
  lanes.toggle();
  lanes.asked();
  expect(lanes.store.getState()).toEqual({ isOn: false, lanes: [] });
});

test("a pinned lane stays in its place, the others go back to the usual ones", () => {
  const lanes = setUp();
  lanes.toggle();
  const [first, second, third] = lanes.store.getState().lanes;
  lanes.change(first!.id, { policy: "aircache", keepPercent: 7 });
  lanes.change(second!.id, { keepPercent: 5 });
  lanes.change(third!.id, { keepPercent: 3, isPinned: true });
  lanes.asked();
  expect(lanes.store.getState().isOn).toBe(true);
  expect(lanes.settings()).toMatchObject([
    { policy: "full" },
    { policy: "prefixkv", retention: 0.2 },
    { policy: "streaming", retention: 0.03 },
  ]);
  expect(lanes.store.getState().lanes[2]).toEqual({ ...third, keepPercent: 3, isPinned: true });
});

test("two lanes that are both pinned stay two", () => {
  const lanes = setUp();
  lanes.toggle();
  lanes.remove(lanes.store.getState().lanes[1]!.id);
  for (const { id } of lanes.store.getState().lanes) lanes.change(id, { isPinned: true });
  const before = lanes.store.getState();
  lanes.asked();
  expect(lanes.store.getState()).toEqual(before);
});

test("a usual lane is not put beside a pinned one of its policy", () => {
  const lanes = setUp();
  lanes.toggle();
  lanes.change(lanes.store.getState().lanes[2]!.id, { policy: "full", isPinned: true });
  lanes.asked();
  expect(lanes.settings().map(({ policy }) => policy)).toEqual(["prefixkv", "streaming", "full"]);
});

test("a lane has the settings' options for its policy, or options of its own", () => {
  const lanes = setUp({ aircache: { alpha: 0.5 } });
  lanes.toggle();
  const { id } = lanes.store.getState().lanes[1]!;
  const options = () => lanes.settings()[1]!.options;
  lanes.change(id, { policy: "aircache" });
  expect(options()).toEqual({ alpha: 0.5 });
  lanes.change(id, { options: { alpha: 0.25 } });
  expect(options()).toEqual({ alpha: 0.25 });
  lanes.change(id, { policy: "streaming" });
  lanes.change(id, { policy: "aircache" });
  expect(options()).toEqual({ alpha: 0.5 });
});
