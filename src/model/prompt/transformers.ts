import "../vision/ort";
import * as transformers from "@huggingface/transformers";

// `ModelFiles` reads the files and passes parsed objects; the library fetches nothing.
transformers.env.allowRemoteModels = false;
transformers.env.allowLocalModels = false;
transformers.env.useBrowserCache = false;
transformers.env.useWasmCache = false;
transformers.env.logLevel = transformers.LogLevel.ERROR;

export { transformers };
