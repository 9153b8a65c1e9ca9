import { expect, test } from "vitest";
import { POLICIES } from "./registry";

const options = POLICIES.flatMap(({ id, options }) =>
  Object.entries(options).map(([name, option]) => ({ place: `${id}.${name}`, ...option })),
);

test.each(options)("$place says in one line what it does", ({ label, help }) => {
  expect(label).toMatch(/^\S.*\S$|^\S$/);
  expect(help).toMatch(/^\S[^\n]{8,170}\S$/);
  expect(help, "a second sentence, or an end that a label has not").not.toMatch(/[.!]( |$)/);
});
