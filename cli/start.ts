import { numberOption, parseCommandLine } from "./shared/options";
import { buildIfStale, serveSite } from "./shared/site";

const USAGE = `npm start -- [--port 4180] [--host 127.0.0.1]

Serves the app; a taken port is replaced by a free one.`;

/** `npm start`: builds what is stale, serves it and prints the address. */
export async function main(argv: readonly string[]): Promise<number> {
  const options = {
    port: { type: "string", default: "4180" },
    host: { type: "string", default: "127.0.0.1" },
  } as const;
  const { values } = parseCommandLine({ args: [...argv], options }, USAGE);
  const port = numberOption("port", values.port, { from: 0, to: 65_535, isWhole: true });
  buildIfStale();
  const site = await serveSite({}, port, values.host).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return serveSite({}, 0, values.host);
  });
  process.stdout.write(
    `Keepsight is at ${site.url}\nOpen it in a browser with WebGPU. Ctrl C stops.\n`,
  );
  return new Promise<number>(() => undefined);
}
