"""How Python is set for a process that serves: short pauses rather than little memory."""

import gc
import sys

YOUNG_OBJECTS = 50_000
"""How many objects are made before the collector looks at the young ones (docs/benchmarks.md)."""

SWITCH_SECONDS = 0.0005
"""How long the loop may keep the interpreter from the thread that commits (default 5 ms)."""


def tune() -> None:
    """To be called once all is loaded.

    A full collection of all that start-up made would stop the loop for 30 to 50 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    sys.setswitchinterval(SWITCH_SECONDS)
