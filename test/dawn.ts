/** Also the setup file of the GPU tests: it makes WebGPU's constants global. */
export { createNodeGpu as createTestGpu } from "../cli/dawn";
