"""What the reader of an address wants of the mails that are not essential. Knows no HTTP.

A choice belongs to the address and not to an account: guests, who have none, choose as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.models import User
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import upserts
from turnout.notifications.errors import EmailNotVerified
from turnout.notifications.kinds import CHOICES, MailKind
from turnout.notifications.models import MailChoice

Addressed = tuple[str, MailKind]
"""A canonical address, and what a mail to it is about."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """For each kind that has a choice, whether it is wanted; and since when that is so.

    `updated_at` is None where nothing was ever chosen.
    """

    wanted: Mapping[MailKind, bool]
    updated_at: datetime | None


def unasked() -> dict[MailKind, bool]:
    """What someone gets who has chosen nothing."""
    return {kind: choice.is_wanted_unasked for kind, choice in CHOICES.items()}


async def of(db: AsyncSession, email_canonical: str) -> Chosen:
    """What the reader of that address gets of the kinds that have a choice."""
    query = select(MailChoice.kind, MailChoice.is_wanted, MailChoice.updated_at)
    rows = (await db.execute(query.where(MailChoice.email_canonical == email_canonical))).all()
    known = [row for row in rows if row.kind in CHOICES]
    wanted = unasked() | {MailKind(row.kind): row.is_wanted for row in known}
    return Chosen(wanted, max((row.updated_at for row in known), default=None))


async def of_account(db: AsyncSession, user: User) -> Chosen:
    """What an account gets; until its address is verified, nothing of what its reader has chosen.

    Anyone may give another's address when they sign up.
    """
    if user.email_verified_at is None:
        return Chosen(unasked(), None)
    return await of(db, user.email_canonical)


async def choose_as(
    db: AsyncSession, user: User, wanted: Mapping[MailKind, bool], cause: Cause, now: datetime
) -> Chosen:
    """What an account gets from now on. Raises EmailNotVerified while the address may be another's.

    To be called with the account locked, which lets two changes at once go one by one.
    """
    if user.email_verified_at is None:
        raise EmailNotVerified
    return await choose(db, user.email_canonical, wanted, cause, now, subject_id=user.id)


async def choose(
    db: AsyncSession,
    email_canonical: str,
    wanted: Mapping[MailKind, bool],
    cause: Cause,
    now: datetime,
    *,
    subject_id: UUID | None = None,
) -> Chosen:
    """What the reader of that address gets from now on; `subject_id` is their account, if any.

    What is so already changes nothing. Kinds without a choice must not be among `wanted`.
    """
    before = await of(db, email_canonical)
    changed = {kind: value for kind, value in wanted.items() if before.wanted[kind] != value}
    if not changed:
        return before
    rows = [
        {
            "email_canonical": email_canonical, "kind": kind.value, "is_wanted": value,
            "updated_at": now,
        }
        for kind, value in changed.items()
    ]  # fmt: skip
    await upserts.put(db, MailChoice, rows, key=("email_canonical", "kind"))
    told = {kind.value: value for kind, value in changed.items()}
    entry = audit.Entry(now, cause, "mail-choice.changed", subject_id=subject_id, changes=told)
    audit.record(db, [entry])
    return Chosen({**before.wanted, **changed}, now)


async def choose_by_link(
    db: AsyncSession, email_canonical: str, kind: MailKind, *, is_wanted: bool, cause: Cause,
    now: datetime,
) -> None:  # fmt: skip
    """Write what someone chose by the link of a mail, with or without an account."""
    theirs = select(User.id).where(
        User.email_canonical == email_canonical, User.email_verified_at.is_not(None)
    )
    account = await db.scalar(theirs)
    await choose(db, email_canonical, {kind: is_wanted}, cause, now, subject_id=account)


async def unwanted(db: AsyncSession, asked: Collection[Addressed]) -> set[Addressed]:
    """Those of the mails that their readers do not want; one statement for all of them."""
    optional = {each for each in asked if each[1] in CHOICES}
    if not optional:
        return set()
    pair = tuple_(MailChoice.email_canonical, MailChoice.kind)
    query = select(MailChoice.email_canonical, MailChoice.kind, MailChoice.is_wanted)
    wanted = [(address, kind.value) for address, kind in optional]
    rows = await db.execute(query.where(pair.in_(wanted)))
    chosen = {(address, MailKind(kind)): is_wanted for address, kind, is_wanted in rows}
    return {each for each in optional if not chosen.get(each, CHOICES[each[1]].is_wanted_unasked)}


async def forget(db: AsyncSession, email_canonical: str) -> None:
    """Remove what the reader of that address has chosen."""
    await db.execute(delete(MailChoice).where(MailChoice.email_canonical == email_canonical))
