/** An error that ends a command with a sentence on stderr and this exit status. */
function exit(exitCode: number, message: string): Error {
  return Object.assign(new Error(message), { exitCode });
}

/** Invalid input: status 1. */
export function inputError(message: string): Error {
  return exit(1, message);
}

/** Invalid usage: status 2, with the usage after the sentence. */
export function usageError(message: string, usage: string): Error {
  return exit(2, `${message}\n\n${usage}`);
}

/** No WebGPU: status 3. */
export function webGpuError(message: string): Error {
  return exit(3, message);
}

/** A number within bounds. `above`: the lower bound itself is refused. */
export function numberOption(
  name: string,
  text: string,
  min: number,
  max: number,
  { above = false, integer = false }: { above?: boolean; integer?: boolean } = {},
): number {
  const value = Number(text);
  const inside = above ? value > min : value >= min;
  if (text.trim() === "" || !inside || value > max || (integer && !Number.isInteger(value))) {
    const range = `${above ? `above ${min}` : `from ${min}`} to ${max}`;
    throw exit(2, `--${name} is ${integer ? "a whole number" : "a number"} ${range}, not ${text}.`);
  }
  return value;
}
