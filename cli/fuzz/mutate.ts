import fc from "fast-check";

/** Changes a file's bytes. */
type ByteEdit = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** Half of the places are near the start, where headers are. Taken modulo the length. */
const place = fc.oneof(fc.nat(80), fc.nat(0xfffff));
/** Bounds of lengths, counts and signs. */
const word = fc.constantFrom(
  ...[0, 1, 7, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff],
);

const byteEdit: fc.Arbitrary<ByteEdit> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([at, value]): ByteEdit =>
      (bytes) => {
        if (bytes.length > 0) bytes[at % bytes.length] = value;
        return bytes;
      },
  ),
  fc.tuple(place, word, fc.boolean()).map(
    ([at, value, isLittle]): ByteEdit =>
      (bytes) => {
        if (bytes.length >= 4) {
          new DataView(bytes.buffer).setUint32(at % (bytes.length - 3), value, isLittle);
        }
        return bytes;
      },
  ),
  fc.tuple(place, fc.nat(300), fc.uint8Array({ maxLength: 40 })).map(
    ([at, removed, inserted]): ByteEdit =>
      (bytes) => {
        const from = at % (bytes.length + 1);
        return joined(bytes.subarray(0, from), inserted, bytes.subarray(from + removed));
      },
  ),
  fc.tuple(place, fc.nat(300)).map(
    ([at, count]): ByteEdit =>
      (bytes) => {
        const from = at % (bytes.length + 1);
        return joined(bytes.subarray(0, from + count), bytes.subarray(from));
      },
  ),
  place.map(
    (at): ByteEdit =>
      (bytes) =>
        bytes.slice(0, at % (bytes.length + 1)),
  ),
);

/** A file with a few of its bytes changed, removed, inserted or repeated, or cut off. */
export function mutatedBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const edits = fc.array(byteEdit, { maxLength: 6, size: "max" });
  return fc
    .tuple(fc.constantFrom(...seeds), edits)
    .map(([seed, list]) => list.reduce((bytes, edit) => edit(bytes), Uint8Array.from(seed)));
}

/** Values where others are expected: no such type, a bound, a name of every object's prototype. */
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, 0, -1, 0.5, 1e9, 2 ** 53, 1e308, "", "1", "\ud800"],
    ...["constructor", "__proto__", "toString", "x".repeat(5000), "../../x", "http://[", "a\0b"],
    ...[[], {}, [[]], [null, "a", 1], { toString: 1 }, { length: 1e9 }],
  ),
  fc.constant(0).map(() => nested(1000)),
  fc.jsonValue({ maxDepth: 2 }),
);

type JsonEdit = (root: unknown) => void;

/** A container and a key of it, found by following a path from the root. */
interface Slot {
  readonly parent: Record<string, unknown>;
  readonly key: string;
}

/** Each number chooses one of the children, modulo their count; the path ends at a value. */
const path = fc.array(fc.nat(63), { minLength: 1, maxLength: 9, size: "max" });

const jsonEdit: fc.Arbitrary<JsonEdit> = fc.oneof(
  fc
    .tuple(path, strange)
    .map(
      ([at, value]): JsonEdit =>
        inSlot(at, ({ parent, key }) => assign(parent, key, structuredClone(value))),
    ),
  path.map(
    (at): JsonEdit =>
      inSlot(at, ({ parent, key }) => {
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      }),
  ),
  fc.tuple(path, fc.constantFrom("constructor", "__proto__", "model_type", "x")).map(
    ([at, name]): JsonEdit =>
      inSlot(at, ({ parent, key }) => {
        if (!Array.isArray(parent)) assign(parent, name, parent[key]);
      }),
  ),
  fc.tuple(path, path).map(
    ([from, to]): JsonEdit =>
      (root) => {
        const [source, target] = [slotAt(root, from), slotAt(root, to)];
        if (source && target)
          assign(target.parent, target.key, structuredClone(source.parent[source.key]));
      },
  ),
);

/** A JSON text with a few of its values changed, removed, renamed or moved; sometimes no JSON at all. */
export function mutatedJson(seeds: readonly string[]): fc.Arbitrary<string> {
  const edits = fc.array(jsonEdit, { maxLength: 5, size: "max" });
  const changed = fc.tuple(fc.constantFrom(...seeds), edits).map(([seed, list]) => {
    const root: unknown = JSON.parse(seed);
    for (const edit of list) edit(root);
    return JSON.stringify(root);
  });
  const broken = mutatedBytes(seeds.map((seed) => new TextEncoder().encode(seed)));
  const deep = fc.constantFrom("", "[".repeat(1e5), '{"a":'.repeat(1e5));
  return fc.oneof(
    { weight: 90, arbitrary: changed },
    { weight: 9, arbitrary: broken.map((bytes) => new TextDecoder().decode(bytes)) },
    { weight: 1, arbitrary: deep },
  );
}

function inSlot(at: readonly number[], change: (slot: Slot) => void): JsonEdit {
  return (root) => {
    const slot = slotAt(root, at);
    if (slot) change(slot);
  };
}

function slotAt(root: unknown, at: readonly number[]): Slot | undefined {
  let found: Slot | undefined;
  let value = root;
  for (const choice of at) {
    if (typeof value !== "object" || value === null) break;
    const keys = Object.keys(value);
    const key = keys[choice % keys.length];
    if (key === undefined) break;
    found = { parent: value as Record<string, unknown>, key };
    value = found.parent[key];
  }
  return found;
}

/** Also sets an own property named `__proto__`. */
function assign(parent: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(parent, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Lists within lists. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}
