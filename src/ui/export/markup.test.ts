import { describe, expect, test } from "vitest";
import { result } from "@/store/app/testing";
import { layerBars, memoryDrawing, timeDrawing } from "./drawings";
import { markup } from "./markup";

describe("markup", () => {
  test("escapes whatever is put in, in text and in attributes", () => {
    const evil = `"><script>alert('x')</script>&`;
    expect(markup`<p title="${evil}">${evil}</p>`.html).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">' +
        "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</p>",
    );
  });

  test("takes markup, lists of it, numbers, and nothing", () => {
    const items = [1, 2].map((each) => markup`<li>${each}</li>`);
    expect(markup`<ul>${items}${undefined}${false}${["<", markup`<hr>`]}</ul>`.html).toBe(
      "<ul><li>1</li><li>2</li>&lt;<hr></ul>",
    );
  });
});

describe("a drawing", () => {
  test("of layers has a bar for each, as high as its share of the most rows", () => {
    const layers = [
      { rowsBefore: 100, rowsAfter: 25, kept: [] },
      // The answer has given up 30 of 50.
      {
        rowsBefore: 100,
        rowsAfter: 50,
        kept: [],
        keptEnd: [Array.from({ length: 20 }, (_, i) => i)],
      },
    ];
    const { html } = layerBars(result({ layers }));
    const heights = [...html.matchAll(/class="kept"[^>]* height="([\d.]+)"/g)].map(([, h]) =>
      Number(h),
    );
    expect(heights).toEqual([18, 14.4]);
    expect(html).toContain("layer by layer: 25, 20; of at most 100.");
  });

  test("of the cache steps from sample to sample under the full cache", () => {
    const { html } = memoryDrawing([
      { at: 0, bytes: 4e6, fullBytes: 4e6 },
      { at: 500, bytes: 1e6, fullBytes: 4e6 },
    ])!;
    expect(html).toContain('class="line" d="M0 14H240V68"');
    expect(html).toContain('class="reference" d="M0 14H240V14"');
    expect(html).toMatch(/at most 4\.00.MB, 1\.00.MB at the end/);
    expect(memoryDrawing([])).toBeUndefined();
  });

  test("of times leaves the first token out", () => {
    const { html } = timeDrawing([900, 10, 20, 40])!;
    expect(html).toContain('points="0,68 120,50 240,14"');
    expect(timeDrawing([900, 10])).toBeUndefined();
  });
});
