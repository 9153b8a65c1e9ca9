import { hubAnswers } from "./hub";
import { imageHeaders } from "./images";
import {
  configs,
  preprocessors,
  tokenizers,
  weightFiles,
  weightHeaders,
  weightIndexes,
} from "./models";
import { imageAddresses, imports, pageAddresses } from "./page";
import { quantizedWeights } from "./quantized";
import type { FuzzTarget } from "./target";

/** Everything that reads data from outside, each with the share of the runs that it gets. */
export function fuzzTargets(): readonly { readonly target: FuzzTarget; readonly share: number }[] {
  return [
    { target: imageHeaders() as FuzzTarget, share: 0.15 },
    { target: weightFiles() as FuzzTarget, share: 0.1 },
    { target: weightHeaders() as FuzzTarget, share: 0.1 },
    { target: weightIndexes() as FuzzTarget, share: 0.05 },
    { target: configs() as FuzzTarget, share: 0.1 },
    { target: preprocessors() as FuzzTarget, share: 0.1 },
    { target: quantizedWeights() as FuzzTarget, share: 0.05 },
    { target: hubAnswers() as FuzzTarget, share: 0.05 },
    { target: tokenizers() as FuzzTarget, share: 0.05 },
    { target: imports() as FuzzTarget, share: 0.1 },
    { target: pageAddresses() as FuzzTarget, share: 0.1 },
    { target: imageAddresses() as FuzzTarget, share: 0.05 },
  ];
}
