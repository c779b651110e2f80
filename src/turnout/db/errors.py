"""Which exceptions mean that the database is away; a door answers them with 503.

What is wrong with a statement is a defect, and must not pass for a database that is away.
"""

import sys

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Kinds = tuple[type[Exception], ...]

_AWAY: Kinds = (PoolTimeout, ConnectionError, TimeoutError)
_AWAY_OF_ASYNCPG = (
    "PostgresConnectionError",
    "CannotConnectNowError",
    "TooManyConnectionsError",
    "AdminShutdownError",
    "CrashShutdownError",
    "InterfaceError",
    "InternalClientError",  # the server's farewell arrived during a statement
)


def away() -> Kinds:
    """Raised when the database cannot be reached, went away, or is too busy to answer in time.

    Those of asyncpg are among them once it is loaded, and before that nobody can raise them: on
    SQLite a worker does without its 2.5 MiB.
    """
    asyncpg = sys.modules.get("asyncpg")
    if asyncpg is None:
        return _AWAY
    return (*_AWAY, *(getattr(asyncpg, name) for name in _AWAY_OF_ASYNCPG))


def suspect() -> Kinds:
    """What `is_away` has to look into: the driver's errors, away or not, come as DBAPIError."""
    return (*away(), DBAPIError)


# Classes of SQLSTATE (PostgreSQL's appendix A): connection, authorization, no such database,
# rolled back for others' sake, out of resources, lock not available, cancelled or shut down
# (a statement that ran too long is one), trouble outside of PostgreSQL.
_AWAY_CLASSES = frozenset(("08", "28", "3D", "40", "53", "55", "57", "58"))
_SQLITE_ERROR = 1
"""The code of SQLite for a statement that is wrong; all other OperationalErrors are its state."""


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database is away, not that a statement is wrong."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if (getattr(original, "sqlstate", None) or "")[:2] in _AWAY_CLASSES:
        return True
    if not isinstance(error, DBAPIError):
        return isinstance(error, away())
    if error.connection_invalidated:
        return True
    if getattr(error.orig, "sqlite_errorcode", None) == _SQLITE_ERROR:
        return False
    return isinstance(error, (OperationalError, InterfaceError))
