import { expect, it } from "vitest";
import { OnnxModel } from "./onnxModel";
import { encodeMessage } from "./protobuf";

/** The same model of `onnx.helper` (onnx 1.23.1): `SerializeToString()`. */
const RECORDED = [
  "08093a8d010a430a01780a01771201791a017922034d756c2a140a046178697318ffffffffffffffffff01a001022a0b0a0161150000803fa00101",
  "3a0d636f6d2e6d6963726f736f667412076465636f6465722a11080210014201774a080000803f000000405a140a0178120f0a0d080112090a0208",
  "010a0312016e62140a0179120f0a0d080112090a0208010a0312016e42040a00101242110a0d636f6d2e6d6963726f736f66741001",
].join("");

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

it("encodes numbers, text and messages as protobuf does", () => {
  // The examples of https://protobuf.dev/programming-guides/encoding.
  expect(hex(encodeMessage([[1, 150]]))).toBe("089601");
  expect(hex(encodeMessage([[2, "testing"]]))).toBe("120774657374696e67");
  expect(hex(encodeMessage([[3, [[1, 150]]]]))).toBe("1a03089601");
  expect(hex(encodeMessage([[1, -2]]))).toBe("08feffffffffffffffff01");
  expect(hex(encodeMessage([[2, { f32: 1 }]]))).toBe("150000803f");
});

it("writes a graph as ONNX's own library does", () => {
  const model = new OnnxModel();
  const weight = model.constant("w", "float32", [2], Float32Array.of(1, 2));
  const x = model.input("x", "float32", [1, "n"]);
  model.node("Mul", "y", [x, weight], { attributes: { axis: -1, a: { f32: 1 } }, isContrib: true });
  model.output("y", "float32", [1, "n"]);
  expect(hex(model.encode())).toBe(RECORDED);
});
