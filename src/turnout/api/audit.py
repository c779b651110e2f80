"""The call about who did what, for administrators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout.accounts.actor import Scope
from turnout.accounts.policy import require_manager
from turnout.api import describe, direct, pages, queries
from turnout.api.events import display_zone, shown_in
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.audit import queries as audit
from turnout.audit.models import AuditEntry
from turnout.audit.queries import AuditFilter
from turnout.db.session import Db
from turnout.edge.caller import actor_of
from turnout.errors import NotAllowed, NotSignedIn
from turnout.events import times, zones
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime
from turnout.events.schemas import TimeText

router = direct.router("Operation")


class AuditQuery(PageQuery, ZoneQuery):
    """Which entries, which page, in which zone."""

    actor: UUID | None = Field(None, description="By that account.")
    event: UUID | None = Field(None, description="At that event.")
    subject: UUID | None = Field(
        None,
        description="About that thing. Without `event`: an account, a sign-in, an API token.",
    )
    action: Annotated[str, Field(max_length=64, examples=["user.changed"])] | None = None
    from_: TimeText | None = Field(None, alias="from", description="From that time on.")
    to: TimeText | None = Field(None, description="Before that time.")

    def wanted(self, zone: str) -> AuditFilter:
        """What is asked for; times without an offset are on the clock of `zone`."""
        since = times.read_time(self.from_, zone, field="from") if self.from_ else None
        until = times.read_time(self.to, zone, field="to") if self.to else None
        return AuditFilter(
            self.actor,
            self.event,
            self.subject,
            self.action,
            since.instant if since else None,
            until.instant if until else None,
        )


@dataclass(frozen=True, slots=True)
class AuditEntryOut:
    """One change: who, by which request, what, to what."""

    id: UUID
    at: datetime
    standing: Annotated[str, Field(description="How the caller was known: `account`, `guest`, ...")]
    actor_id: UUID | None
    request_id: str | None
    action: Annotated[str, Field(examples=["registration.cancelled"])]
    event_id: UUID | None
    subject_id: UUID | None
    changes: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit, the newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None


@router.get(
    "/admin/audit",
    summary="See who did what",
    response_model=AuditPage,
    **describe.read(
        NotSignedIn, NotAllowed, InvalidTimezone, NonexistentLocalTime, AmbiguousLocalTime,
        query=AuditQuery, paged=True,
    ),
)  # fmt: skip
async def list_audit(request: Request) -> Response:
    """Every change of state, the newest first. Entries are never changed and never deleted."""
    actor = await actor_of(request, Scope.ADMIN_READ)
    require_manager(actor)
    query = queries.read(request, AuditQuery)
    wanted = query.wanted(display_zone(query, actor) or zones.UTC_NAME)

    async def load(db: Db, position: str | None, limit: int) -> list[AuditEntry]:
        return await audit.page(db, wanted, before=pages.id_at(position), limit=limit)

    name = pages.query_name(actor, "audit", wanted)
    show = partial(_out, zone=shown_in(query, actor))
    return await pages.listed(request, query, name, load, show, AuditPage)


def _out(row: AuditEntry, zone: tzinfo) -> AuditEntryOut:
    return AuditEntryOut(
        row.id,
        row.at.astimezone(zone),
        row.standing,
        row.actor_id,
        row.request_id,
        row.action,
        row.event_id,
        row.subject_id,
        row.changes,
    )
