"""structlog as a server needs it: without what draws on terminals. All else imports it from here.

structlog looks for `rich` when it is imported, to draw tracebacks that we do not let it draw, since
they show local variables. That brings pygments and attrs along: 4 MiB in each worker. A None in
`sys.modules` is how Python is told that there is no such module (reference, 5.3.1).
"""

import sys
from typing import Any, cast

_was_there = "rich" in sys.modules
_modules = cast("dict[str, Any]", sys.modules)
_modules.setdefault("rich", None)

import structlog  # noqa: E402 - see above

if not _was_there:
    del sys.modules["rich"]

__all__ = ["structlog"]
