import { expect, it } from "vitest";
import { result } from "../app/testing";
import {
  type ChatConversation,
  type ConversationImage,
  emptyConversation,
  withExchange,
} from "./conversation";
import { imageBudget, MAX_IMAGES, tooMany } from "./imageBudget";

const mini = { contextLength: 8192, rowsPerTile: 576 };
const empty = emptyConversation("c", 0);

function waiting(count: number): ChatConversation {
  const images = Array.from({ length: count }, (_, i): ConversationImage => {
    return { id: `${i}`, title: "", alt: "", blob: new Blob(), url: "", width: 1, height: 1 };
  });
  return { ...empty, images };
}

it("divides what the context has left by the rows of an image", () => {
  expect(imageBudget(empty, mini)).toEqual({ images: 13, contextLength: 8192 });
  expect(imageBudget(waiting(4), mini)).toEqual({ images: 9, contextLength: 8192 });
  expect(imageBudget(waiting(13), mini).images).toBe(0);
});

it("counts what was said, and the largest image that was seen", () => {
  const tile = { firstPosition: 3, gridRows: 40, gridColumns: 40 };
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const layouts = [{ image: "0", width: 1, height: 1, tiles: [{ ...tile, box }] }];
  const answer = result({ promptTokens: 1620, tokenIds: [1, 2], images: layouts });
  const { images } = waiting(1);
  const asked = withExchange(
    { ...empty, images },
    {
      ...{ id: "q", images: ["0"], question: "?" },
      attempts: [
        {
          id: "a",
          settings: { policy: "full", retention: 1, scope: "visual", options: {} },
          run: { phase: "done", result: answer },
        },
      ],
    },
  );
  expect(imageBudget(asked, mini).images).toBe(Math.floor((8192 - 1622 - 384) / 1608));
});

it("has the page's own limit, alone while no model says anything", () => {
  expect(imageBudget(empty, undefined)).toEqual({ images: MAX_IMAGES });
  expect(imageBudget(waiting(30), undefined)).toEqual({ images: 2 });
  const vast = { contextLength: 1_000_000, rowsPerTile: 64 };
  expect(imageBudget(empty, vast)).toEqual({ images: MAX_IMAGES });
});

it("says how many fit", () => {
  expect(tooMany(20, { images: 13, contextLength: 8192 }, false)).toBe(
    "These 20 images do not fit: the model’s context of 8192 tokens has room for 13.",
  );
  expect(tooMany(4, { images: 2 }, true)).toBe(
    "These 4 images do not fit: a conversation here has room for 2 more.",
  );
  expect(tooMany(1, { images: 0, contextLength: 8192 }, true)).toBe(
    "This image does not fit: the model’s context of 8192 tokens has no room for another image.",
  );
});
