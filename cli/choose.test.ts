import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { addUp, chooseDefault, main } from "./choose";

const lane = (name: string, gained: number, lost: number, questions = 400) => {
  return { lane: name, gained, lost, questions };
};

it("takes the smallest share whose lower bound is above -3 points", () => {
  const totals = addUp([
    [lane("aircache:0.1", 0, 20), lane("aircache:0.2", 2, 3), lane("h2o:0.2", 0, 4)],
    [lane("aircache:0.5", 0, 0), lane("snapkv:0.05", 0, 0, 200)],
  ]);
  expect(chooseDefault(totals)).toMatchObject({ total: { lane: "aircache:0.2" }, meetsRule: true });
});

it("adds files up, and takes the highest bound if no lane meets the rule", () => {
  const totals = addUp([
    [lane("a:0.1", 0, 9, 150), lane("b:0.2", 0, 8, 150)],
    [lane("a:0.1", 0, 9, 160), lane("b:0.2", 1, 30, 160)],
  ]);
  expect(totals[0]).toMatchObject({ questions: 310, paired: { gained: 0, lost: 18 } });
  expect(chooseDefault(totals)).toMatchObject({ total: { lane: "a:0.1" }, meetsRule: false });
});

it("refuses what is no result", async () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "choose-"));
  const file = path.join(folder, "scores.json");
  fs.writeFileSync(file, "{}");
  await expect(main([file])).rejects.toMatchObject({ exitCode: 1 });
  await expect(main([])).rejects.toMatchObject({ exitCode: 2 });
  fs.writeFileSync(file, JSON.stringify({ lanes: [{ lane: "full:1", questions: 9 }] }));
  await expect(main([file])).rejects.toThrow(/compared with the full cache/);
  fs.rmSync(folder, { recursive: true });
});
