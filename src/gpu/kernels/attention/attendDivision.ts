/** How the rows of a cache are divided among workgroups, for the kernels with shared memory. */
export interface AttendDivision {
  /** Workgroups that the rows are divided among, if there are enough. */
  readonly wantedGroups: number;
  /** Invocations of a workgroup for one of several splits. */
  readonly workgroup: number;
  /** Slots of a split are a multiple of this, and at least this. */
  readonly leastSpan: number;
  /** Most slots of a split. Where few query heads share a KV head: more slots, for the same work. */
  readonly mostSpan: { readonly few: number; readonly many: number };
  /** Most query heads of a unit of `attend_split.wgsl`; at most 8. */
  readonly mostHeads: number;
  /** Largest cache with one split, in slots: a processor reads all rows of a head. At most `DIRECT_SLOTS`. */
  readonly directSlots: number;
}

/** `wide` everywhere, unless tuning finds another one faster on an adapter. */
export type AttendVariant = "wide" | "fine" | "fewHeads";

/** Most slots of the only split. */
export const DIRECT_SLOTS = 1024;

/** 512 workgroups keep a large GPU's memory busy: four for each of 128 processors. */
const WIDE: AttendDivision = {
  wantedGroups: 512,
  workgroup: 128,
  leastSpan: 64,
  mostSpan: { few: 256, many: 128 },
  mostHeads: 8,
  directSlots: DIRECT_SLOTS,
};

export const ATTEND_DIVISIONS: Readonly<Record<AttendVariant, AttendDivision>> = {
  wide: WIDE,
  /** More and smaller workgroups, for short caches too: right where processors would idle. */
  fine: {
    wantedGroups: 1024,
    workgroup: 64,
    leastSpan: 32,
    mostSpan: { few: 128, many: 64 },
    mostHeads: 8,
    directSlots: 0,
  },
  /** Rows are read once more, from a cache: right where the work per query head takes the time. */
  fewHeads: { ...WIDE, wantedGroups: 1024, mostHeads: 4 },
};
