"""Which seeds belong to whom. No seed may be in two of these ranges; a test says so."""

TOKENIZER = range(500_000_000, 600_000_000)
TRAINING = range(3_000_000_000, 4_000_000_000)
DENSE_PAGES = range(4_000_000_000, 5_000_000_000)
VALIDATION = range(6_600_000_000, 6_700_000_000)
TEST = range(7_600_000_000, 7_700_000_000)

# Held-out pages: worlds lie 100 000 seeds apart, pages 17.
WORLD_STRIDE = 100_000
PAGE_STRIDE = 17


def held_out(split: range, world_index: int, page: int) -> int:
    """Seed of page `page` of a world in VALIDATION or TEST."""
    if not 0 <= page < WORLD_STRIDE // PAGE_STRIDE:
        raise RangeError(f"page {page}: a world has {WORLD_STRIDE // PAGE_STRIDE} held-out pages")
    return split[world_index * WORLD_STRIDE + page * PAGE_STRIDE]


def stream(split: range, start: int, worker: int, workers: int):
    """Endless seeds of one of `workers` data loaders; wraps around inside the split."""
    index = start + worker
    while True:
        yield split[index % len(split)]
        index += workers


class RangeError(ValueError):
    """A seed outside of its split was asked for."""
