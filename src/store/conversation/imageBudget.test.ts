import { expect, it } from "vitest";
import { result } from "../app/testing";
import { type Conversation, emptyConversation, type Picture, withExchange } from "./conversation";
import { imageBudget, MAX_PICTURES, tooMany } from "./imageBudget";

const mini = { contextLength: 8192, rowsPerTile: 576 };
const empty = emptyConversation("c", 0);

function waiting(count: number): Conversation {
  const pictures = Array.from({ length: count }, (_, i): Picture => {
    return { id: `${i}`, title: "", alt: "", blob: new Blob(), url: "", width: 1, height: 1 };
  });
  return { ...empty, pictures };
}

it("divides what the context has left by the rows of a picture", () => {
  expect(imageBudget(empty, mini)).toEqual({ pictures: 13, contextLength: 8192 });
  expect(imageBudget(waiting(4), mini)).toEqual({ pictures: 9, contextLength: 8192 });
  expect(imageBudget(waiting(13), mini).pictures).toBe(0);
});

it("counts what was said, and the largest picture that was seen", () => {
  const tile = { firstPosition: 3, gridRows: 40, gridColumns: 40 };
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const images = [{ image: "0", width: 1, height: 1, tiles: [{ ...tile, box }] }];
  const answer = result({ promptTokens: 1620, tokenIds: [1, 2], images });
  const { pictures } = waiting(1);
  const asked = withExchange(
    { ...empty, pictures },
    {
      ...{ id: "q", pictures: ["0"], question: "?" },
      attempts: [
        {
          id: "a",
          settings: { policy: "full", retention: 1, scope: "visual", options: {} },
          run: { phase: "done", result: answer },
        },
      ],
    },
  );
  expect(imageBudget(asked, mini).pictures).toBe(Math.floor((8192 - 1622 - 384) / 1608));
});

it("has the page's own limit, alone while no model says anything", () => {
  expect(imageBudget(empty, undefined)).toEqual({ pictures: MAX_PICTURES });
  expect(imageBudget(waiting(30), undefined)).toEqual({ pictures: 2 });
  const vast = { contextLength: 1_000_000, rowsPerTile: 64 };
  expect(imageBudget(empty, vast)).toEqual({ pictures: MAX_PICTURES });
});

it("says how many fit", () => {
  expect(tooMany(20, { pictures: 13, contextLength: 8192 }, false)).toBe(
    "These 20 images do not fit: the model’s context of 8192 tokens has room for 13.",
  );
  expect(tooMany(4, { pictures: 2 }, true)).toBe(
    "These 4 images do not fit: a conversation here has room for 2 more.",
  );
  expect(tooMany(1, { pictures: 0, contextLength: 8192 }, true)).toBe(
    "This image does not fit: the model’s context of 8192 tokens has no room for another image.",
  );
});
