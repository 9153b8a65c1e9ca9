import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FakeLog, fakeDevice, stubGpuConstants } from "../../test/fakeGpu";
import { type Kernel, PARAM_BYTES } from "./kernel";
import { Memory } from "./memory";
import { type Program, Recorder } from "./recorder";

beforeEach(stubGpuConstants);
afterEach(() => vi.unstubAllGlobals());

const PARAMS = { rows: "u32", scale: "f32", seed: "u32" } as const;

function kernel(label: string): Kernel<typeof PARAMS> {
  const pipeline = { label } as GPUComputePipeline;
  return { label, pipeline, layout: {} as GPUBindGroupLayout, params: PARAMS };
}

function create(slots: number) {
  const log: FakeLog = { writes: [], copies: [], passes: [] };
  const device = fakeDevice({}, log);
  const memory = new Memory(device);
  return { log, memory, recorder: new Recorder(device, memory, { label: "test", slots }) };
}

const [first, second] = [kernel("first"), kernel("second")];
/** Parameters in another order than the declaration's. */
const params = { seed: -1, scale: 0.5, rows: 7 };
const dispatch = { buffers: [], params, groups: [3, 2] } as const;

it("writes parameters in the order of their declaration, by their type", () => {
  const { recorder, log } = create(4);
  recorder.dispatch(first, dispatch);
  recorder.dispatch(first, { ...dispatch, params: { ...params, rows: 8 } });
  recorder.submit();
  const [written] = log.writes;
  expect(log.writes).toHaveLength(1);
  expect(written?.bytes.byteLength).toBe(2 * PARAM_BYTES);
  const view = new DataView(written?.bytes as ArrayBuffer);
  expect(view.getUint32(0, true)).toBe(7);
  expect(view.getFloat32(4, true)).toBe(0.5);
  expect(view.getUint32(8, true)).toBe(0xffff_ffff);
  expect(view.getUint32(PARAM_BYTES, true)).toBe(8);
});

it("gives every dispatch its parameters, and sets a pipeline once in a row", () => {
  const { recorder, log } = create(4);
  for (const each of [first, first, second]) recorder.dispatch(each, dispatch);
  expect(recorder.dispatches).toBe(3);
  recorder.submit();
  expect(log.passes).toEqual([
    ...["first", "first at 0", "3 × 2 × 1"],
    ...[`first at ${PARAM_BYTES}`, "3 × 2 × 1"],
    ...["second", `second at ${2 * PARAM_BYTES}`, "3 × 2 × 1"],
  ]);
  expect(recorder.dispatches).toBe(0);
});

it("refuses more dispatches than it has slots, until they were submitted", () => {
  const { recorder } = create(1);
  recorder.dispatch(first, dispatch);
  expect(() => recorder.dispatch(first, dispatch)).toThrow(RangeError);
  recorder.submit();
  expect(() => recorder.dispatch(first, dispatch)).not.toThrow();
});

it("keeps what is bound to the same buffers where a program replaces another", () => {
  const { log, memory } = create(2);
  const device = fakeDevice({}, log);
  const made = vi.spyOn(device, "createBindGroup");
  const [a, b, c] = ["a", "b", "c"].map((label) => memory.storage("kv", label, 16));
  const record = (buffer: GPUBuffer | undefined, rows: number, before?: Program) => {
    const recorder = new Recorder(device, memory, {
      label: "test",
      slots: 2,
      before: before?.frozen,
    });
    const slice = { buffer: b!, offset: 4 };
    recorder.dispatch(first, { ...dispatch, buffers: [a!, slice], params: { ...params, rows } });
    recorder.dispatch(second, { ...dispatch, buffers: [buffer!] });
    return recorder.program();
  };
  const before = record(b, 7);
  const after = record(c, 9, before);
  expect(made).toHaveBeenCalledTimes(3);
  expect(new DataView(log.writes.at(-1)!.bytes).getUint32(0, true)).toBe(9);
  expect(memory.bytes.activations).toBe(2 * PARAM_BYTES);
  const pass = device.createCommandEncoder().beginComputePass();
  after.replay(pass);
  expect(log.passes.filter((entry) => entry.includes(" at "))).toEqual([
    "first at 0",
    `second at ${PARAM_BYTES}`,
  ]);
  after.destroy();
  expect(memory.bytes.activations).toBe(0);
});

it("binds anew only what has other buffers than the submit before", () => {
  const { log, memory } = create(2);
  const device = fakeDevice({}, log);
  const made = vi.spyOn(device, "createBindGroup");
  const [a, b] = ["a", "b"].map((label) => memory.storage("kv", label, 16));
  const recorder = new Recorder(device, memory, { label: "test", slots: 2 });
  const submit = (buffer: GPUBuffer | undefined, rows: number) => {
    recorder.dispatch(first, { ...dispatch, buffers: [a!], params: { ...params, rows } });
    recorder.dispatch(second, { ...dispatch, buffers: [buffer!] });
    recorder.submit();
  };
  submit(a, 7);
  submit(a, 9);
  expect(made).toHaveBeenCalledTimes(2);
  expect(new DataView(log.writes.at(-1)!.bytes).getUint32(0, true)).toBe(9);
  submit(b, 9);
  expect(made).toHaveBeenCalledTimes(3);
  recorder.destroy();
});

it("leaves its parameters to a program, which replays them and frees them", () => {
  const { recorder, log, memory } = create(2);
  recorder.dispatch(first, dispatch);
  const program = recorder.program();
  recorder.destroy();
  expect(memory.bytes.activations).toBe(2 * PARAM_BYTES);
  const pass = fakeDevice({}, log).createCommandEncoder().beginComputePass();
  program.replay(pass);
  program.replay(pass);
  expect(log.passes.filter((entry) => entry === "3 × 2 × 1")).toHaveLength(2);
  expect(log.writes).toHaveLength(1);
  program.destroy();
  expect(memory.bytes.activations).toBe(0);
});
