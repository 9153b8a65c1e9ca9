import { expect, test } from "vitest";
import { repairLanguage } from "./navigatorLanguage";

test.each([
  ["en-US@posix", "en-US"],
  ["de-CH", "de-CH"],
])("the language %s is used as %s", (given, used) => {
  // As in a browser: a getter of the prototype.
  class Browser {
    get language() {
      return given;
    }
  }
  const browser = new Browser();
  repairLanguage(browser);
  expect(browser.language).toBe(used);
  expect(() => new Intl.NumberFormat(browser.language)).not.toThrow();
});
