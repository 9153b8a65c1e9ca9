import { expect, test } from "vitest";
import type { ImageLayout } from "@/protocol/result";
import { result } from "../app/testing";
import { emptyConversation, withExchange } from "../conversation/conversation";
import type { Run } from "../conversation/run";
import { shownRows } from "./shownRows";

const layout: ImageLayout = { image: "p", width: 1, height: 1, tiles: [] };
const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;

function state(runs: readonly Run[], shown?: string) {
  const conversation = runs.reduce(
    (all, run, index) =>
      withExchange(all, {
        id: `e${index}`,
        images: [],
        question: "",
        attempts: [{ id: `a${index}`, settings, run }],
      }),
    emptyConversation("c", 0),
  );
  return { conversation, shown };
}

const placed: Run = { phase: "done", result: result({ images: [layout] }) };
const appended: Run = { phase: "done", result: result({ appended: true, images: [] }) };

test("shows the newest attempt that placed the image", () => {
  expect(shownRows(state([placed, placed, appended]), "p")?.attempt.id).toBe("a1");
  expect(shownRows(state([placed, { phase: "queued" }]), "p")?.attempt.id).toBe("a0");
});

test("shows the attempt that was asked for", () => {
  expect(shownRows(state([placed, placed], "a0"), "p")?.attempt.id).toBe("a0");
});

test("shows nothing of an image that nobody placed", () => {
  expect(shownRows(state([placed]), "q")).toBeUndefined();
  expect(shownRows(state([]), "p")).toBeUndefined();
});

test("shows the rows of a temporal patch over each of its frames", () => {
  const patch = { ...layout, alsoShows: ["q"] };
  const both: Run = { phase: "done", result: result({ images: [patch] }) };
  expect(shownRows(state([both]), "q")?.layout).toBe(patch);
  expect(shownRows(state([both]), "r")).toBeUndefined();
});
