import { describe, expect, it } from "vitest";
import { type Answered, formatTable, rougeL, scoreLanes } from "./scores";

function answered(fields: Partial<Answered> & Pick<Answered, "lanes">): Answered {
  return { key: "k", world: "card", expected: "Kurt Weill", ...fields };
}

const QUESTIONS: readonly Answered[] = [
  answered({
    reference: "Kurt Weill",
    lanes: [
      { lane: "full:1", answer: "Kurt Weill", kvBytes: 4000, fullBytes: 4000, msPerToken: 10 },
      { lane: "random:0.1", answer: "Kurt Wolff", kvBytes: 400, fullBytes: 4000, msPerToken: 6 },
    ],
  }),
  answered({
    world: "chart",
    expected: "12",
    reference: "21",
    lanes: [
      { lane: "full:1", answer: "12", kvBytes: 2000, fullBytes: 2000, msPerToken: 20 },
      { lane: "random:0.1", failure: "The device is out of memory." },
    ],
  }),
];

describe("scoreLanes", () => {
  it("counts exact matches over all questions and per world", () => {
    const [full, random] = scoreLanes(QUESTIONS);
    expect(full).toMatchObject({ lane: "full:1", exactMatch: 1, questions: 2, failures: 0 });
    expect(random?.exactMatch).toBe(0);
    expect(random?.worlds).toEqual({
      card: { exactMatch: 0, questions: 1 },
      chart: { exactMatch: 0, questions: 1 },
    });
  });

  it("ignores outer spaces and nothing else", () => {
    const lanes = [" 12\n", "12.", "Twelve"].map((answer) =>
      scoreLanes([answered({ expected: "12", lanes: [{ lane: "full:1", answer }] })]),
    );
    expect(lanes.map(([lane]) => lane?.exactMatch)).toEqual([1, 0, 0]);
  });

  it("counts a lane without an answer as wrong, and leaves it out of the medians", () => {
    const [full, random] = scoreLanes(QUESTIONS);
    expect(random).toMatchObject({ failures: 1, kvBytes: 400, fullBytes: 4000, msPerToken: 6 });
    expect(full).toMatchObject({ kvBytes: 3000, msPerToken: 15 });
  });

  it("agrees with the full lane and with the reference by words", () => {
    const [full, random] = scoreLanes(QUESTIONS);
    expect(full?.agreementWithFull).toBe(1);
    expect(random?.agreementWithFull).toBe(0.25);
    expect(full?.reference).toEqual({ questions: 2, same: 1, agreement: 0.5 });
  });

  it("counts right answers gained and lost against the full lane", () => {
    const lanes = (full: string, half: string) => [
      { lane: "full:1", answer: full },
      { lane: "h2o:0.5", answer: half },
    ];
    const questions = [
      answered({ lanes: lanes("Kurt Weill", "Kurt Weill") }),
      answered({ lanes: lanes("Kurt Weill", "Kurt Wolff") }),
      answered({ lanes: lanes("Kurt Weill", "") }),
      answered({ lanes: lanes("Nobody", "Kurt Weill ") }),
      answered({
        lanes: [
          { lane: "full:1", answer: "x" },
          { lane: "h2o:0.5", failure: "No." },
        ],
      }),
    ];
    const [full, half] = scoreLanes(questions);
    expect(full).not.toHaveProperty("againstFull");
    expect(half?.againstFull).toMatchObject({ gained: 1, lost: 2, difference: -0.2 });
    const [head = "", ...rows] = formatTable([full!, half!]).split("\n");
    expect(head).toContain("against full");
    expect(rows[1]).toMatch(/ -20\.0 \(-6\d\.\d to \d\d\.\d\) /);
  });

  it("says nothing of a reference or a full lane that is not there", () => {
    const [lane] = scoreLanes([answered({ lanes: [{ lane: "h2o:0.5", answer: "x" }] })]);
    expect(lane).not.toHaveProperty("reference");
    expect(lane).not.toHaveProperty("agreementWithFull");
    expect(lane).not.toHaveProperty("againstFull");
  });
});

describe("rougeL", () => {
  it.each([
    ["the cat sat", "the cat sat", 1],
    ["The CAT, sat.", "the cat sat", 1],
    // Lin 2004, example 1: "police kill the gunman" against "police killed the gunman".
    ["police kill the gunman", "police killed the gunman", 0.75],
    ["the gunman kill police", "police killed the gunman", 0.5],
    ["a b c d", "a b", 2 / 3],
    ["", "", 1],
    ["", "a", 0],
  ])("%j against %j is %d", (answer, expected, score) => {
    expect(rougeL(answer, expected)).toBeCloseTo(score, 12);
  });
});

it("formatTable gives a line per lane and a column per world", () => {
  const lines = formatTable(scoreLanes(QUESTIONS)).trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/policy .* card +chart$/);
  expect(lines[1]).toMatch(/^full:1 +100.0 % +– +1.000 .* 1\/2 /);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});
