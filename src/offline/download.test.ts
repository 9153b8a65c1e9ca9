import { expect, test, vi } from "vitest";
import { Download } from "./download";

/** A body whose bytes come when the test says so. */
function body() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  });
  return {
    stream,
    send: (...bytes: number[]) => controller.enqueue(Uint8Array.from(bytes)),
    end: () => controller.close(),
    fail: () => controller.error(new TypeError("the connection broke")),
  };
}

const read = async (part: ReadableStream<Uint8Array>) => [...(await new Response(part).bytes())];

test("parts are answered as soon as their bytes are there, whatever the order", async () => {
  const { stream, send, end } = body();
  const download = new Download(stream, 6, "text/plain");
  const late = read(download.part({ start: 3, end: 6 }));
  send(1, 2, 3, 4);
  expect(await read(download.part({ start: 1, end: 4 }))).toEqual([2, 3, 4]);
  send(5, 6);
  end();
  expect(await late).toEqual([4, 5, 6]);
  expect([...(await download.whole)]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await read(download.part({ start: 0, end: 2 }))).toEqual([1, 2]);
});

test("a part streams while it grows", async () => {
  const { stream, send } = body();
  const reader = new Download(stream, 4, "").part({ start: 0, end: 4 }).getReader();
  send(1);
  expect((await reader.read()).value).toEqual(Uint8Array.of(1));
  send(2, 3);
  expect((await reader.read()).value).toEqual(Uint8Array.of(2, 3));
});

test("a connection that breaks fails the parts that wait for it, and the whole", async () => {
  const { stream, send, fail } = body();
  const download = new Download(stream, 4, "");
  const waiting = read(download.part({ start: 0, end: 4 }));
  send(1, 2);
  fail();
  await expect(waiting).rejects.toThrow("broke");
  await expect(download.whole).rejects.toThrow("broke");
});

test.each([[[1, 2]], [[1, 2, 3, 4]]])(
  "a file of another size is refused: %j of 3",
  async (bytes) => {
    const { stream, send, end } = body();
    const download = new Download(stream, 3, "");
    send(...bytes);
    end();
    await expect(download.whole).rejects.toThrow(RangeError);
  },
);

test("a body that sends nothing for twenty seconds has ended", async () => {
  vi.useFakeTimers();
  const { stream, send } = body();
  const download = new Download(stream, 6, "text/plain");
  const failed = download.whole.catch(String);
  await vi.advanceTimersByTimeAsync(19_000);
  send(1, 2);
  await vi.advanceTimersByTimeAsync(19_000);
  send(3);
  await vi.advanceTimersByTimeAsync(21_000);
  expect(await failed).toMatch("3 of 6 bytes came");
  vi.useRealTimers();
});
