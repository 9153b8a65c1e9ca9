"""The recipes of sprint.py: what each run trains on, and the values that it was started with.

`broad` trains everything on narrow, wide, rich and photographed pages: 540 seconds on one H200 with
13 + 2 drawing processes. `talk` trains the decoder alone over a frozen tower, for wording: 50
minutes on two CPU cores. `speak` trains everything for 420 seconds; six pages in ten are asked
about in people's own words (spoken.py). `vary` goes on with more worlds, pictures that are not
square, and "Read all the text." as a first question; three pages in ten rehearse the worlds before.
`settle` ends such a run: seven pages in ten rehearse. `recall` brings back what such runs forgot:
earlier weights are its teacher on the pages that they read right, and on pages that are asked about
in jumbled words (hints.py, jumbled.py). Without a GPU these three train in small steps, with the
values of ON_CPU, on one core with bf16 units (AMX).
"""

from supply import BROAD, RECALL, SETTLE, SPEAK, TALK, VARY

MIXTURES = {
    "broad": BROAD,
    "talk": TALK,
    "speak": SPEAK,
    "vary": VARY,
    "settle": SETTLE,
    "recall": RECALL,
}
# Every value is an option.
RECIPES = {
    "broad": {
        "hours": 540 / 3600, "rate": 2e-3, "vision_rate": 1e-3, "level": 0.45, "warmup": 100,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "log_every": 75,
        "validate_every": 150.0,
    },
    "talk": {
        "hours": 3000 / 3600, "rate": 4e-4, "vision_rate": 0.0, "level": 0.3, "warmup": 30,
        "full_from": 0.75, "batch": 8, "pages": 1, "workers": 1, "dense_workers": 1,
        "uses": 1, "memory": 8, "dense": 0.0, "frozen_vision": 1, "log_every": 15,
        "validate_every": 900.0,
    },
    "speak": {
        "hours": 420 / 3600, "rate": 1.5e-3, "vision_rate": 8e-4, "level": 0.35, "warmup": 80,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "log_every": 75,
        "validate_every": 0.0,
    },
    "vary": {
        "hours": 480 / 3600, "rate": 1.2e-3, "vision_rate": 8e-4, "level": 0.35, "warmup": 80,
        "full_from": 0.6, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "reads_first": 0.1,
        "log_every": 75, "validate_every": 0.0,
    },
    "settle": {
        "hours": 180 / 3600, "rate": 8e-4, "vision_rate": 5e-4, "level": 0.2, "warmup": 40,
        "full_from": 0.5, "batch": 192, "pages": 32, "workers": 13, "dense_workers": 2,
        "uses": 3, "memory": 120, "dense": 0.5, "frozen_vision": 0, "reads_first": 0.05,
        "log_every": 75, "validate_every": 0.0,
    },
}  # fmt: skip
RECIPES["recall"] = RECIPES["settle"] | {"hours": 240 / 3600, "jumbled": 0.3}
# What differs without a GPU: small steps, no process but this one.
ON_CPU = {
    "vary": {
        "hours": 1.42, "rate": 3e-4, "vision_rate": 2e-4, "level": 0.3, "warmup": 30,
        "full_from": 0.82, "batch": 8, "pages": 3, "workers": 0, "dense_workers": 0, "uses": 1,
        "memory": 8, "threads": 1, "log_every": 25,
    },
    "settle": {
        "hours": 0.6, "rate": 2.5e-4, "vision_rate": 1e-4, "level": 0.2, "warmup": 30,
        "full_from": 0.75, "batch": 8, "pages": 2, "workers": 0, "dense_workers": 0, "uses": 1,
        "memory": 8, "threads": 1, "log_every": 25,
    },
    "recall": {
        "hours": 1.25, "rate": 3e-4, "vision_rate": 1.5e-4, "level": 0.2, "warmup": 30,
        "full_from": 0.75, "batch": 8, "pages": 1, "workers": 0, "dense_workers": 0, "uses": 1,
        "memory": 8, "threads": 1, "compile": 1, "log_every": 25,
    },
}  # fmt: skip
