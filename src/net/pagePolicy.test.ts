import { expect, it } from "vitest";
import { contentPolicy } from "../../build/contentPolicy";
import { allowsReading } from "./pagePolicy";

const SELF = "https://keepsight.example";
const policy = contentPolicy("https://models.example:8443, http://localhost:8000");
const allows = (address: string) => allowsReading(policy, new URL(address), SELF);

it("is read as browsers read it", () => {
  for (const address of [
    `${SELF}/samples/receipt.png`,
    "https://huggingface.co/a/b",
    "https://cdn-lfs.hf.co/a",
    "https://cas-bridge.xethub.hf.co/a",
    "https://models.example:8443/a",
    "http://localhost:8000/a",
  ]) {
    expect(allows(address), address).toBe(true);
  }
  for (const address of [
    "https://pictures.example/a",
    "http://keepsight.example/a",
    "https://huggingface.co.pictures.example/a",
    "https://nothf.co/a",
    "https://hf.co/a",
    "https://huggingface.co:444/a",
    "https://models.example/a",
    "http://localhost:8001/a",
  ]) {
    expect(allows(address), address).toBe(false);
  }
});

it("may let a build read from every host with TLS", () => {
  const open = contentPolicy("https:");
  expect(allowsReading(open, new URL("https://anything.example:8443/a"), SELF)).toBe(true);
  expect(allowsReading(open, new URL("http://anything.example/a"), SELF)).toBe(false);
});

it("names an origin of models that is none", () => {
  for (const origin of [
    "models.example",
    "https://models.example/",
    "https://*",
    "'self'",
    "a;b",
  ]) {
    expect(() => contentPolicy(`https://good.example ${origin}`), origin).toThrow(origin);
  }
});
