/** Rows of an image among a conversation's tokens, in reading order. */
export interface PositionGrid {
  /** Token of its first row. */
  readonly start: number;
  readonly gridRows: number;
  readonly gridColumns: number;
}

/** Rotary positions of one token in each axis: time, height, width. */
export type AxisPositions = readonly [time: number, height: number, width: number];

/** A grid and the position of its first row. */
interface PlacedGrid extends PositionGrid {
  readonly position: number;
}

/** Everything that `TokenPositions` counts, as plain data. */
export interface TokenPositionsState {
  readonly grids: readonly (PositionGrid & { readonly position: number })[];
  readonly seen: number;
  readonly place: number;
  readonly rebasedAt: number;
}

/** Positions by which a grid is shorter than its rows. */
function saved({ gridRows, gridColumns }: PositionGrid): number {
  return gridRows * gridColumns - Math.max(gridRows, gridColumns);
}

/** Number of positions that tokens take, of which some are the rows of grids. */
export function positionCount(tokens: number, grids: readonly PositionGrid[]): number {
  return grids.reduce((count, grid) => count - saved(grid), tokens);
}

/**
 * Counts a conversation's tokens and their rotary positions, which differ in models with three axes (M-RoPE,
 * https://arxiv.org/abs/2409.12191, section 2.1). Text advances all axes by one. An image at position p has
 * p as time, p + row as height and p + column as width, and the text behind it goes on at
 * p + max(rows, columns). Without grids, token i stands at i in every axis.
 */
export class TokenPositions {
  #grids: PlacedGrid[] = [];
  #seen = 0;
  #place = 0;
  /** Tokens seen when places were last counted anew. */
  #rebasedAt = 0;

  /** Tokens so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Position of the next token if positions were last counted anew with `rebase`. */
  get place(): number {
    return this.#place;
  }

  /** Position of the next token. */
  get position(): number {
    return this.next(this.#seen);
  }

  /** First token since `rebase` that does not have the position of its place; `seen` if there is none. */
  get unplaced(): number {
    return this.#firstGrid(this.#rebasedAt, this.#seen) ?? this.#seen;
  }

  /** Announces an image, `start` tokens behind those seen, behind all other images. */
  announce({ start: ahead, gridRows, gridColumns }: PositionGrid): void {
    const start = this.#seen + ahead;
    this.#grids.push({ start, gridRows, gridColumns, position: this.next(start) });
  }

  /** Whether all axes of the next tokens count on from `position`. */
  isText(tokens: number): boolean {
    return this.#firstGrid(this.#seen, this.#seen + tokens) === undefined;
  }

  advance(tokens: number): void {
    const before = this.position;
    this.#seen += tokens;
    this.#place += this.position - before;
  }

  /** Forgets the newest tokens, and all images behind them. */
  truncate(tokens: number): void {
    this.advance(-tokens);
    this.#grids = this.#grids.filter(({ start }) => start < this.#seen);
  }

  /** Counts `place` anew from here. */
  rebase(position: number): void {
    this.#place = position;
    this.#rebasedAt = this.#seen;
  }

  /** Position of token `index` if it is text. Inside of a grid it is its place behind the grid's start. */
  next(index: number): number {
    const grid = this.#before(index);
    if (!grid) return index;
    const rows = index - grid.start;
    return grid.position + rows - (rows < grid.gridRows * grid.gridColumns ? 0 : saved(grid));
  }

  of(index: number): AxisPositions {
    const grid = this.#before(index);
    const row = grid ? index - grid.start : 0;
    if (!grid || row >= grid.gridRows * grid.gridColumns) {
      const position = this.next(index);
      return [position, position, position];
    }
    const { position, gridColumns } = grid;
    return [position, position + Math.floor(row / gridColumns), position + (row % gridColumns)];
  }

  copy(): TokenPositions {
    return TokenPositions.from(this.state);
  }

  get state(): TokenPositionsState {
    const { place, seen } = this;
    return { grids: [...this.#grids], seen, place, rebasedAt: this.#rebasedAt };
  }

  static from({ grids, seen, place, rebasedAt }: TokenPositionsState): TokenPositions {
    const positions = new TokenPositions();
    positions.#grids = [...grids];
    positions.#seen = seen;
    positions.#place = place;
    positions.#rebasedAt = rebasedAt;
    return positions;
  }

  /** First token from `index` on that is a grid's; undefined if there is none before `end`. */
  #firstGrid(index: number, end: number): number | undefined {
    const grid = this.#grids.find((g) => g.start + g.gridRows * g.gridColumns > index);
    return grid && grid.start < end ? Math.max(grid.start, index) : undefined;
  }

  /** The last grid that starts at or before a token. */
  #before(index: number): PlacedGrid | undefined {
    return this.#grids.findLast(({ start }) => start <= index);
  }
}
