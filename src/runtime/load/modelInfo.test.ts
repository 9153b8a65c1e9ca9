import { expect, it } from "vitest";
import { modelName } from "./modelInfo";

it.each([
  ["https://host/models/tiny-smolvlm/", "tiny-smolvlm"],
  ["https://host/-model/C%2B%2B%20%26%20co/", "C++ & co"],
  ["https://host/models/%E6%97%A5%E6%9C%AC/", "日本"],
  ["https://host/models/100%/", "100%"],
  ["https://host/", "https://host/"],
])("names the model at %s", (url, name) => {
  expect(modelName(url)).toBe(name);
});
