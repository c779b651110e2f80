"""Every table of the product, for migrations and tests."""

from turnout.accounts.models import (
    ApiToken,
    Link,
    OpenIdIdentity,
    RecoveryCode,
    RefreshToken,
    SignIn,
    User,
)
from turnout.audit import models as audit
from turnout.audit.models import AuditEntry
from turnout.db.base import Base
from turnout.db.facts import Fact
from turnout.events import search_index
from turnout.events.models import Cover, Event, Series, Slot, TeamMember
from turnout.idempotency.models import KeptAnswer
from turnout.outbox.models import OutboxMessage
from turnout.places.models import Geocoding
from turnout.registrations import functions
from turnout.registrations.models import Admission, Registration

ALL = (
    Fact, User, SignIn, RefreshToken, ApiToken, Link, RecoveryCode, OpenIdIdentity,
    Geocoding, Series, Event, Cover, TeamMember, Slot, Admission, Registration,
    OutboxMessage, AuditEntry, KeptAnswer,
)  # fmt: skip
REVISION = "0004"
"""The newest migration, which a test holds together with the migrations themselves."""
METADATA = Base.metadata
BESIDE_TABLES = {
    "sqlite": (*search_index.OF_SQLITE, *audit.GUARD_OF_SQLITE),
    "postgresql": (
        *(functions.CREATE_LOCK_SEATS, *search_index.OF_POSTGRESQL, *audit.GUARD_OF_POSTGRESQL),
    ),
}
"""What each database keeps beside its tables: functions and triggers."""
