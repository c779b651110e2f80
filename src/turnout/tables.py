"""Every table of the product, for migrations and tests."""

from turnout.accounts.models import User
from turnout.audit.models import AuditEntry
from turnout.db.base import Base
from turnout.db.facts import Fact
from turnout.events.models import Event, Slot
from turnout.idempotency.models import KeptAnswer
from turnout.outbox.models import OutboxMessage
from turnout.registrations import functions
from turnout.registrations.models import Admission, Registration

ALL = (
    Fact, User, Event, Slot, Admission, Registration, OutboxMessage, AuditEntry, KeptAnswer,
)  # fmt: skip
REVISION = "0001"
"""The newest migration, which a test holds together with the migrations themselves."""
METADATA = Base.metadata
FUNCTIONS = (functions.CREATE_LOCK_SEATS,)
"""What PostgreSQL keeps beside them."""
