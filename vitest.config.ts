import os from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const alias = { "@": fileURLToPath(new URL("./src", import.meta.url)) };

/** Two projects: `unit` needs nothing; `gpu` runs our kernels on Dawn's software adapter. */
export default defineConfig({
  test: {
    // Vitest leaves one core idle; of two, that is half.
    maxWorkers: Math.max(2, os.availableParallelism() - 1),
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          environment: "node",
          include: ["{src,build,cli,test}/**/*.test.{ts,tsx}"],
          exclude: ["**/*.gpu.test.ts"],
          // A thread per file takes less to start than a process.
          pool: "threads",
        },
      },
      {
        resolve: { alias },
        test: {
          name: "gpu",
          environment: "node",
          include: ["{src,test,cli}/**/*.gpu.test.ts"],
          setupFiles: ["test/dawn.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: "forks",
        },
      },
    ],
  },
});
