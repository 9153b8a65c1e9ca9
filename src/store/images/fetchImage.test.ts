import { afterEach, describe, expect, it, vi } from "vitest";
import { fetchImage, MAX_FETCHED_BYTES, parseAddress } from "./fetchImage";

const address = new URL("https://pictures.example/a/cat%20one.png?size=2");
const never = new AbortController().signal;

function answering(response: Response | Error) {
  const fetched = vi.fn(async () => {
    if (response instanceof Error) throw response;
    return response;
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

async function sentence(response: Response | Error): Promise<string> {
  answering(response);
  const outcome = await fetchImage(address, { signal: never });
  if (outcome.ok) throw new Error("was taken");
  return outcome.failure.message;
}

/** A body of `parts` pieces of a megabyte. */
function body(parts: number): ReadableStream<Uint8Array> {
  let left = parts;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(1e6));
      else controller.close();
    },
  });
}

afterEach(() => vi.unstubAllGlobals());

describe("an address", () => {
  it("is taken as people write it", () => {
    expect(parseAddress(" pictures.example/a.png ")?.href).toBe("https://pictures.example/a.png");
    expect(parseAddress("localhost:8080/a.png")?.href).toBe("https://localhost:8080/a.png");
    expect(parseAddress("http://a.example/b")?.href).toBe("http://a.example/b");
    expect(parseAddress("data:image/png;base64,AA")?.protocol).toBe("data:");
  });

  it("is refused where it is none", () => {
    for (const text of [
      "",
      "a cat",
      "cat",
      "javascript:alert(1)",
      "file:///etc/passwd",
      "blob:https://pictures.example/1",
      "https://",
    ]) {
      expect(parseAddress(text), text).toBeUndefined();
    }
  });
});

describe("fetching", () => {
  it("gives up where no byte arrives for twenty seconds", async () => {
    vi.useFakeTimers();
    const silent = async (_: unknown, { signal }: RequestInit) => {
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError")));
      });
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        controller.enqueue(new Uint8Array(8));
        await Promise.race([aborted, new Promise((done) => setTimeout(done, 30_000))]);
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
    };
    vi.stubGlobal("fetch", silent);
    const fetching = fetchImage(address, { signal: never });
    await vi.advanceTimersByTimeAsync(21_000);
    expect(await fetching).toMatchObject({
      ok: false,
      failure: { message: expect.stringMatching(/ended before/) },
    });
    vi.useRealTimers();
  });

  it("reads a data: address without a request", async () => {
    const fetched = answering(new Error("no request"));
    const bytes = async (text: string) => {
      const outcome = await fetchImage(new URL(text), { signal: never });
      return outcome.ok ? [outcome.blob.type, await outcome.blob.text()] : outcome.failure.message;
    };
    expect(await bytes("data:image/png;base64,aGVsbG8=")).toEqual(["image/png", "hello"]);
    expect(await bytes("data:image/svg+xml;charset=utf-8,a%2Cb")).toEqual(["image/svg+xml", "a,b"]);
    expect(await bytes("data:image/png;base64,&")).toBe("The address holds no image.");
    expect(fetched).not.toHaveBeenCalled();
  });

  it("brings the bytes, a title and progress, and sends nothing along", async () => {
    const fetched = answering(new Response(body(3), { headers: { "content-length": "3000000" } }));
    const told: (number | undefined)[][] = [];
    const onProgress = (loaded: number, total?: number) => told.push([loaded, total]);
    const outcome = await fetchImage(address, { signal: never, onProgress });
    expect(outcome).toMatchObject({ ok: true, title: "cat one.png" });
    expect(outcome.ok && outcome.blob.size).toBe(3e6);
    expect(told).toEqual([1e6, 2e6, 3e6].map((loaded) => [loaded, 3e6]));
    expect(fetched.mock.calls[0]).toMatchObject([
      address,
      { credentials: "omit", referrerPolicy: "no-referrer" },
    ]);
  });

  it("says one sentence for each way to fail", async () => {
    expect(await sentence(new TypeError("Failed to fetch"))).toMatch(
      /^pictures\.example could not be reached, or does not allow .* Download the image and drop it here\.$/,
    );
    expect(await sentence(new Response("", { status: 404 }))).toMatch(/nothing at this address/);
    expect(await sentence(new Response("", { status: 403 }))).toMatch(/refused with status 403/);
    const page = new Response("<p>", { headers: { "content-type": "text/html; charset=utf-8" } });
    expect(await sentence(page)).toMatch(/leads to text\/html, not to an image/);
  });

  it("stops at the limit, announced or not", async () => {
    const announced = { headers: { "content-length": `${MAX_FETCHED_BYTES + 1}` } };
    expect(await sentence(new Response(body(1), announced))).toMatch(/larger than 64/);
    expect(await sentence(new Response(body(70)))).toMatch(/larger than 64/);
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error()) });
    expect(await sentence(new Response(broken))).toMatch(/ended before the image was complete/);
  });

  it("rejects when it is given up, and only then", async () => {
    const giveUp = new AbortController();
    giveUp.abort();
    answering(new DOMException("", "AbortError"));
    await expect(fetchImage(address, { signal: giveUp.signal })).rejects.toThrow();
  });
});
