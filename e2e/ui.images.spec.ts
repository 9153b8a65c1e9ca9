import fs from "node:fs";
import { expect, type Page } from "@playwright/test";
import {
  expectAccessible,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
} from "./pageChecks";
import { ask, openScripted, recording, stored, untilStored } from "./scripted";
import { test } from "./test";

const CARD = fs.readFileSync("public/samples/card.png");
const viewer = (page: Page) => page.locator("figure img");
const strip = (page: Page) =>
  page.getByRole("radiogroup", { name: "Images of this conversation" }).getByRole("radio");
const chips = (page: Page) => page.getByRole("button", { name: /^Remove / });
const composer = (page: Page) => page.locator("form").filter({ has: page.getByLabel("Question") });

/** Files of a drag: pages of the gallery with other names, or text. */
type Files = readonly (readonly [name: string, content: string])[];

/** Drops files, where `half` says once the halves are there, or pastes them. */
async function give(
  page: Page,
  how: "drop" | "paste",
  files: Files,
  half?: "New conversation" | "Add to this conversation",
): Promise<void> {
  const data = await page.evaluateHandle(async (list) => {
    const transfer = new DataTransfer();
    for (const [name, content] of list) {
      const isPage = content.endsWith(".png");
      const part = isPage ? await (await fetch(`samples/${content}`)).blob() : content;
      transfer.items.add(new File([part], name, { type: "image/png" }));
    }
    return transfer;
  }, files);
  await transferTo(page, how, data, half);
}

async function transferTo(
  page: Page,
  how: "drop" | "paste",
  data: Awaited<ReturnType<Page["evaluateHandle"]>>,
  half?: string,
): Promise<void> {
  if (how === "paste") {
    await page.evaluate((clipboardData) => {
      const init = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        new ClipboardEvent("paste", { ...init, clipboardData: clipboardData as DataTransfer }),
      );
    }, data);
    return;
  }
  await page.dispatchEvent("body", "dragover", { dataTransfer: data });
  const target = half ? page.locator("[data-drop]", { hasText: half }) : page.locator("body");
  await target.dispatchEvent("dragover", { dataTransfer: data });
  await target.dispatchEvent("drop", { dataTransfer: data });
}

async function transferOf(page: Page, items: Readonly<Record<string, string>>) {
  return page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const [type, text] of Object.entries(given)) transfer.setData(type, text);
    return transfer;
  }, items);
}

const four = ["receipt.png", "chart.png", "card.png", "words.png"].map(
  (file, index) => [`page ${index + 1}.png`, file] as const,
);

test("several images stand before one question, in order, and a bad file costs one sentence", async ({
  page,
}) => {
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  await give(page, "drop", [...four.slice(0, 2), ["notes.txt", "no image"], ...four.slice(2)]);
  await expect(strip(page)).toHaveCount(4);
  await expect(page.getByRole("region", { name: "Viewer" }).getByRole("alert")).toHaveText(
    /“notes\.txt” is not an image/,
  );
  await expect(page.getByText("4 images before this question")).toBeVisible();
  await expect(page.getByPlaceholder("Ask about these 4 images")).toBeVisible();
  await expect(viewer(page)).toHaveAttribute("alt", "page 1.png");
  await page.getByRole("button", { name: "Remove page 3.png" }).click();
  await expect(strip(page)).toHaveCount(3);

  await ask(page, "What is the total?");
  await expect(chips(page)).toHaveCount(0);
  const asked = page.getByRole("list", { name: "Images asked about" });
  await expect(asked.getByRole("button")).toHaveCount(3);
});

test("the strip chooses the image in the viewer by pointer and by keys, overlay and words with it", async ({
  page,
}) => {
  // The recording places one image; here its engine has placed two, one after the other.
  const script = recording();
  const doubled = script.answers.map((answer) => {
    const [first] = answer.result!.images;
    const [tile] = first!.tiles;
    const second = { ...first!, tiles: [{ ...tile!, firstPosition: 10_000 }] };
    return { ...answer, events: [], result: { ...answer.result!, images: [first!, second] } };
  });
  await openScripted(page, { script: { ...script, answers: doubled }, query: "keep=10" });
  await give(page, "drop", four.slice(0, 2));
  await expect(strip(page)).toHaveCount(2);
  await ask(page, "What is the total?");
  const heading = page.getByRole("heading", { name: /^8 layers kept \d+ of 576 patches/ });
  const first = await heading.textContent();
  await page.getByRole("radio", { name: "Image 2 of 2: page 2.png" }).check();
  await expect(viewer(page)).toHaveAttribute("alt", "page 2.png");
  // None of the second image's rows are in the recording's plan.
  await expect(heading).toHaveText(/kept 0 of 576/);
  await page.keyboard.press("ArrowLeft");
  await expect(viewer(page)).toHaveAttribute("alt", "page 1.png");
  await expect(heading).toHaveText(first!);
});

test("a sample of several pages puts them in the viewer, with their own words and its questions", async ({
  page,
}) => {
  const samples = JSON.parse(fs.readFileSync("public/samples/samples.json", "utf8"));
  const document = {
    id: "document",
    files: four.map(([, file]) => file),
    title: "Document of 4 pages",
    alt: "4 pages: a receipt, a chart, a card, words",
    alts: ["A receipt", "A chart", "A card", "Words"],
    note: "4 pages before one question.",
    questions: ["What is the role?"],
  };
  await page.route("**/samples/samples.json", (route) =>
    route.fulfill({ json: [...samples, document] }),
  );
  await openScripted(page, { query: "sample=document" });
  await expect(strip(page)).toHaveCount(4);
  await expect(page.getByText("4 pages before one question.")).toBeVisible();
  await expect(page.getByText("4 images before this question")).toBeVisible();
  await expect(chips(page)).toHaveCount(0);
  await expect(viewer(page)).toHaveAttribute("alt", "A receipt");
  await page.getByRole("radio", { name: /^Image 4 of 4/ }).check();
  await expect(viewer(page)).toHaveAttribute("alt", "Words");
  await page.getByRole("button", { name: "What is the role?" }).click();
  await expect(page.getByLabel("Answer", { exact: true })).toHaveAttribute("data-phase", "done");
  await expect(page).toHaveURL(/sample=document/);
  await page.getByRole("button", { name: samples[0].title }).click();
  await expect(strip(page)).toHaveCount(0);
  await expect(page.getByRole("button", { name: "What is the total?" })).toBeVisible();
});

test("a drag over a conversation says where a drop would go", async ({ page }) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await give(page, "drop", four.slice(1, 3), "Add to this conversation");
  await expect(strip(page)).toHaveCount(3);
  await expect(page.getByText("2 images before this question")).toBeVisible();
  await expect(viewer(page)).toHaveAttribute("alt", "page 2.png");
  await expect(page.getByRole("group", { name: "What is the total?" })).toBeVisible();
  await give(page, "drop", four.slice(3), "New conversation");
  await expect(strip(page)).toHaveCount(0);
  await expect(viewer(page)).toHaveAttribute("alt", "page 4.png");
  await expect(page.getByText(/stays under History/)).toBeVisible();
});

test("a paste and the composer's menu add, the gallery begins anew, and a reload keeps what waits", async ({
  page,
}) => {
  await openScripted(page);
  await ask(page, "What is the total?");
  await give(page, "paste", four.slice(2, 3));
  await expect(page.getByText("1 image before this question")).toBeVisible();
  await composer(page).getByRole("button", { name: "+ Image" }).click();
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("menuitem", { name: "Files…" }).click();
  const files = await chosen;
  expect(files.isMultiple()).toBe(true);
  await files.setFiles([
    { name: "one.png", mimeType: "image/png", buffer: CARD },
    { name: "two.png", mimeType: "image/png", buffer: CARD },
  ]);
  await expect(chips(page)).toHaveCount(3);
  await expect.poll(() => stored(page)).toMatchObject({ images: 4 });
  await page.reload();
  await expect(chips(page)).toHaveCount(3);
  await page.getByRole("button", { name: "Remove one.png" }).press("Enter");
  await expect(page.getByLabel("Question", { exact: true })).toBeFocused();
  await ask(page, "What is the date?");
  await expect(chips(page)).toHaveCount(0);
  await expect(strip(page)).toHaveCount(3);

  await page.getByRole("button", { name: "Add an image of your own" }).click();
  const other = page.waitForEvent("filechooser");
  await page.getByRole("menuitem", { name: "Files…" }).click();
  await (await other).setFiles([{ name: "three.png", mimeType: "image/png", buffer: CARD }]);
  await expect(page.getByAltText("Your image: three.png")).toBeVisible();
  await expect(strip(page)).toHaveCount(0);
});

test("more images than the context holds are refused with how many fit", async ({ page }) => {
  const script = recording();
  const info = { ...script.load.info!, contextLength: 2048, rowsPerTile: 576 };
  await openScripted(page, { script: { ...script, load: { ...script.load, info } } });
  await expect(page.getByText("/ 2048")).toBeVisible();
  await give(page, "drop", four);
  await expect(page.getByRole("alert")).toHaveText(
    /These 4 images do not fit: the model’s context of 2048 tokens has room for 2\./,
  );
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
});

test("a web address brings an image, and each failure one sentence that says what to do", async ({
  page,
}) => {
  const asked: string[] = [];
  await page.route("https://huggingface.co/**", async (route) => {
    const url = route.request().url();
    asked.push(url);
    const headers = { "access-control-allow-origin": "*" };
    if (url.endsWith("/missing.png")) return route.fulfill({ status: 404, headers });
    if (url.endsWith("/page"))
      return route.fulfill({ headers, contentType: "text/html", body: "" });
    if (url.endsWith("/private.png")) {
      const own = { "access-control-allow-origin": "https://huggingface.co" };
      return route.fulfill({ headers: own, contentType: "image/png", body: CARD });
    }
    if (url.endsWith("/slow.png")) return undefined;
    return route.fulfill({ headers, contentType: "image/png", body: CARD });
  });
  await openScripted(page);
  await composer(page).getByRole("button", { name: "+ Image" }).click();
  await page.getByRole("menuitem", { name: "Web address…" }).click();
  const field = page.getByLabel("Address of the image");
  await expect(field).toBeFocused();
  await expectAccessible(page);
  expect(asked).toEqual([]);
  for (const [path, sentence] of [
    ["missing.png", /huggingface\.co has nothing at this address \(404\)/],
    ["page", /leads to text\/html, not to an image\. Copy the address of the image itself/],
    [
      "private.png",
      /does not allow other pages to read its images\. Download the image and drop it/,
    ],
  ] as const) {
    await field.fill(`https://huggingface.co/${path}`);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog").getByRole("alert")).toHaveText(sentence);
    await expect(field).toHaveValue(`https://huggingface.co/${path}`);
  }
  await field.fill("https://pictures.example/card.png");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("alert")).toHaveText(
    /security policy .* pictures\.example.* Download the image and drop it/,
  );
  await field.fill("huggingface.co/slow.png");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByText("Fetching from huggingface.co")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("dialog").getByText(/^This browser asks that site/)).toBeVisible();
  await field.fill("huggingface.co/a%20card.png");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByAltText("Your image: a card.png")).toBeVisible();
});

test("addresses and images of other pages are dropped and pasted; text in a field stays text", async ({
  page,
}) => {
  await page.route("https://huggingface.co/**", (route) =>
    route.fulfill({
      headers: { "access-control-allow-origin": "*" },
      contentType: "image/png",
      body: CARD,
    }),
  );
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  const link = "https://huggingface.co/article";
  const image = '<a href="/article"><img src="https://huggingface.co/in-a-link.png"></a>';
  await transferTo(
    page,
    "drop",
    await transferOf(page, { "text/uri-list": link, "text/html": image }),
  );
  await expect(page.getByAltText("Your image: in-a-link.png")).toBeVisible();
  const address = "https://huggingface.co/pasted.png";
  await transferTo(page, "paste", await transferOf(page, { "text/plain": address }));
  await expect(page.getByRole("button", { name: "Remove pasted.png" })).toBeVisible();

  const taken = await page.getByLabel("Question").evaluate((area, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const init = { bubbles: true, cancelable: true, clipboardData };
    return !area.dispatchEvent(new ClipboardEvent("paste", init));
  }, address);
  expect(taken).toBe(false);
  await expect(chips(page)).toHaveCount(2);
});

interface Kept {
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** Keeps every blob with its address: the page's policy does not let a test fetch it. */
function keepBlobs(): void {
  const blobs = new Map<string, Blob>();
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob: Blob) => {
    const url = create.call(URL, blob);
    blobs.set(url, blob);
    return url;
  };
  Object.assign(window, { blobs });
}

test("a very large image is scaled before anything keeps it, upright", async ({ page }) => {
  await page.addInitScript(keepBlobs);
  await openScripted(page);
  await expect(page.getByRole("button", { name: /^Receipt/, pressed: true })).toBeVisible();
  // Created here instead of stored in the repository; EXIF orientation 6 rotates it upright.
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(9000, 6000);
    const context = canvas.getContext("2d")!;
    context.fillStyle = "#c00";
    context.fillRect(0, 0, 4500, 6000);
    const file = new Uint8Array(
      await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.5 })).arrayBuffer(),
    );
    const exif = [
      ...[0xff, 0xe1, 0x00, 0x22, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8],
      ...[0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0],
    ];
    const parts = [file.slice(0, 2), new Uint8Array(exif), file.slice(2)];
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(parts, "vast.jpg", { type: "image/jpeg" }));
    const init = { bubbles: true, cancelable: true, dataTransfer };
    document.body.dispatchEvent(new DragEvent("drop", init));
  });
  await expect(
    page.getByText("“vast.jpg” was scaled from 6000 × 9000 to 2731 × 4096 pixels."),
  ).toBeVisible({ timeout: 60_000 });
  await ask(page, "What is the total?");
  await untilStored(page);
  const copies = await page.evaluate(async () => {
    const image = document.querySelector<HTMLImageElement>("figure img")!;
    const blob = (window as unknown as Kept).blobs.get(image.src)!;
    const bitmap = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(3, 3);
    canvas.getContext("2d")!.drawImage(bitmap, 0, 0, 3, 3);
    const { data } = canvas.getContext("2d")!.getImageData(1, 0, 1, 3);
    const opened = indexedDB.open("keepsight");
    await new Promise((resolve) => (opened.onsuccess = resolve));
    const table = opened.result.transaction("conversations").objectStore("conversations");
    const all = table.getAll();
    await new Promise((resolve) => (all.onsuccess = resolve));
    const [stored] = all.result[0].pictures;
    const size = [bitmap.width, bitmap.height];
    return { size, reds: [data[0], data[8]], archived: stored.blob.size, shown: blob.size };
  });
  expect(copies.size).toEqual([2731, 4096]);
  // The red half was on the left of the file, so it is above.
  expect(copies.reds[0]).toBeGreaterThan(150);
  expect(copies.reds[1]).toBeLessThan(60);
  expect(copies.archived).toBe(copies.shown);
  expect(copies.archived).toBeLessThan(16e6);
});

for (const [width, height] of [
  [1440, 900],
  [768, 1024],
  [390, 844],
  [320, 640],
] as const) {
  test(`several images at ${width} × ${height}: nothing sticks out, axe finds nothing, light and dark`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height });
    await openScripted(page);
    await ask(page, "What is the total?");
    await give(page, "drop", four, "Add to this conversation");
    await expect(chips(page)).toHaveCount(4);
    await expectAccessibleInBothThemes(page);
    await expectNoSidewaysScroll(page);
    await page.dispatchEvent("body", "dragover", {
      dataTransfer: await transferOf(page, { "text/uri-list": "https://a.example/" }),
    });
    await expect(page.getByText("Add to this conversation")).toBeInViewport();
    if (width === 1440) await expectAccessibleInBothThemes(page);
  });
}

test("an added file has the type of its header, whatever it was declared as, and is upright", async ({
  page,
}) => {
  await page.addInitScript(keepBlobs);
  await openScripted(page);
  const add = async (name: string, mimeType: string, file: string) => {
    const buffer = fs.readFileSync(`fixtures/images/${file}`);
    await page.getByLabel("Images to add").first().setInputFiles({ name, mimeType, buffer });
    await expect(page.locator(`figure img[alt="${name}"]`)).toBeVisible();
    return page.evaluate(async () => {
      const image = document.querySelector<HTMLImageElement>("figure img")!;
      const blob = (window as unknown as Kept).blobs.get(image.src)!;
      const bitmap = await createImageBitmap(blob);
      const context = new OffscreenCanvas(64, 64).getContext("2d")!;
      context.drawImage(bitmap, 0, 0, 64, 64);
      return { type: blob.type, pixels: [...context.getImageData(0, 0, 64, 64).data] };
    });
  };
  const plain = await add("page.html", "text/html", "receipt.png");
  expect(plain.type).toBe("image/png");
  const turned = await add("turned.png", "image/png", "exif6.webp");
  expect(turned.type).toBe("image/webp");
  const differences = turned.pixels.map((value, i) => Math.abs(value - plain.pixels[i]!));
  expect(differences.reduce((sum, each) => sum + each, 0) / differences.length).toBeLessThan(4);
});
