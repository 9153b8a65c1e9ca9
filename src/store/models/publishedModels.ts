import type { ModelOutline } from "@/protocol/model";
import table from "./published.json";

/** A model of the Hub and what its published configuration tells of its costs. */
export interface PublishedModel extends ModelOutline {
  /** `owner/name` */
  readonly id: string;
  readonly weightBytes: number;
  readonly rowsPerImage: number;
}

/** Models of the supported families, smallest first; `npm run tables` computes them from `reference/published`. */
export const PUBLISHED: readonly PublishedModel[] = table;
