/** Rows of an image among a conversation's tokens, in reading order. */
export interface PositionGrid {
  /** Token of its first row. */
  readonly start: number;
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Of a temporal patch: positions in time behind the first of its video. They follow each other. */
  readonly time?: number;
}

/** Rotary positions of one token in each axis: time, height, width. */
export type AxisPositions = readonly [time: number, height: number, width: number];

/** A grid and the position of its first row. */
interface PlacedGrid extends PositionGrid {
  readonly position: number;
}

/** Everything that `TokenPositions` counts, as plain data. */
export interface TokenPositionsState {
  readonly grids: readonly PlacedGrid[];
  readonly seen: number;
  readonly place: number;
  readonly rebasedAt: number;
}

function rowsOf({ gridRows, gridColumns }: PositionGrid): number {
  return gridRows * gridColumns;
}

/** Position of the token behind a grid. */
function behind({ position, gridRows, gridColumns, time = 0 }: PlacedGrid): number {
  return position + Math.max(gridRows, gridColumns, time + 1);
}

/** Number of positions that tokens take, of which some are the rows of grids. */
export function positionCount(tokens: number, grids: readonly PositionGrid[]): number {
  const positions = new TokenPositions();
  for (const grid of grids) positions.announce(grid);
  return positions.next(tokens);
}

/**
 * Counts a conversation's tokens and their rotary positions, which differ in models with three axes (M-RoPE,
 * https://arxiv.org/abs/2409.12191, section 2.1). Text advances all axes by one. An image at position p has
 * p as time, p + row as height and p + column as width, and the text behind it goes on at
 * p + max(rows, columns). The temporal patches of a video share p, and a later one has p + its time as time; the text goes on
 * behind the largest position. (`transformers` 5 goes on at p + max(rows, columns), but places new tokens behind the
 * largest position; `transformers` 4 is as here.) Without grids, token i stands at i in every axis.
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

  /** Announces an image or a temporal patch, `start` tokens behind those seen, behind all others. */
  announce({ start: ahead, gridRows, gridColumns, time }: PositionGrid): void {
    const start = this.#seen + ahead;
    const last = this.#grids.at(-1);
    const continues = time !== undefined && last && last.start + rowsOf(last) === start;
    const position = continues ? last.position : this.next(start);
    this.#grids.push({
      start,
      gridRows,
      gridColumns,
      position,
      ...(time !== undefined && { time }),
    });
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
    return rows < rowsOf(grid) ? grid.position + rows : behind(grid) + rows - rowsOf(grid);
  }

  of(index: number): AxisPositions {
    const grid = this.#before(index);
    const row = grid ? index - grid.start : 0;
    if (!grid || row >= rowsOf(grid)) {
      const position = this.next(index);
      return [position, position, position];
    }
    const { position, gridColumns, time = 0 } = grid;
    const [y, x] = [Math.floor(row / gridColumns), row % gridColumns];
    return [position + time, position + y, position + x];
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
    const grid = this.#grids.find((g) => g.start + rowsOf(g) > index);
    return grid && grid.start < end ? Math.max(grid.start, index) : undefined;
  }

  /** The last grid that starts at or before a token. */
  #before(index: number): PlacedGrid | undefined {
    return this.#grids.findLast(({ start }) => start <= index);
  }
}
