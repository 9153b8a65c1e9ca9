"""Image features by rule: both sides compute them, so that fixtures need not store megabytes.

TypeScript:

    function feature(index: number, scale: number): number {
      let x = Math.imul(index + 1, 0x9e3779b1);
      x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
      x ^= x >>> 15;
      return ((x >>> 8) / 2 ** 24 - 0.5) * scale;
    }

`index` = image row × hidden size + column; `scale` is a power of two, so every value is exact in
float32 and the two languages agree to the bit.
"""

import numpy as np


def hashed_features(rows: int, hidden: int, scale: float) -> np.ndarray:
    """[rows, hidden] float32, uniform in [-scale/2, scale/2)."""
    x = np.arange(1, rows * hidden + 1, dtype=np.uint32) * np.uint32(0x9E3779B1)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x735A2D97)
    x = x ^ (x >> np.uint32(15))
    unit = (x >> np.uint32(8)).astype(np.float64) / 2**24 - 0.5
    return (unit * scale).astype(np.float32).reshape(rows, hidden)
