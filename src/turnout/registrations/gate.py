"""The one gate for everyone who wants a seat: decides for a whole set in one transaction."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.audit import audit
from turnout.errors import NotAllowed, NotFound, NotSignedIn, TurnoutError
from turnout.events import policy
from turnout.events import queries as events
from turnout.events.queries import Membership
from turnout.idempotency import idempotency
from turnout.idempotency.idempotency import Answer
from turnout.outbox import outbox
from turnout.outbox.topics import Topic
from turnout.registrations import guests, seats, statements
from turnout.registrations.errors import AlreadyRegistered, EventFull, RegistrationClosed
from turnout.registrations.models import Status
from turnout.registrations.policy import may_seat
from turnout.registrations.records import Registered, Seated, Wish
from turnout.registrations.seats import Closed, Verdict


class LockedElsewhere(Exception):
    """Another transaction holds the event's lock: ask again, and wait for it."""


Outcome = Seated | Answer | TurnoutError | LockedElsewhere


async def admit(
    db: AsyncSession, wishes: Sequence[Wish], now: datetime, *, secret: bytes, wait: bool
) -> list[Outcome]:
    """One outcome for each wish, decided in order of arrival, in the caller's transaction.

    Seated for a new registration, the kept Answer for a repeated request, an error that says why
    not. Without `wait`, wishes for events whose lock another transaction holds get
    LockedElsewhere. The rows are written when the transaction ends. The tokens of guests are
    derived from `secret`.
    """
    outcomes: dict[int, Outcome] = await _kept_answers(db, wishes, now)
    outcomes |= await _erased_accounts(db, wishes)
    people = [(wish.event_id, wish.person) for n, wish in enumerate(wishes) if n not in outcomes]
    states = await statements.lock(db, people, wait=wait) if people else {}
    roles = await _team_roles(db, wishes, states)
    asking: dict[UUID, list[int]] = defaultdict(list)
    for n, wish in enumerate(wishes):
        if n in outcomes:
            continue
        refusal = _refusal(wish, states.get(wish.event_id), roles, now)
        if refusal is None:
            asking[wish.event_id].append(n)
        else:
            outcomes[n] = refusal
    outcomes |= _seat(db, wishes, asking, states, now, secret)
    return [outcomes[n] for n in range(len(wishes))]


async def _kept_answers(
    db: AsyncSession, wishes: Sequence[Wish], now: datetime
) -> dict[int, Outcome]:
    claims = {n: wish.claim for n, wish in enumerate(wishes) if wish.claim is not None}
    if not claims:
        return {}
    found = await idempotency.look_up(db, list(claims.values()), now)
    return {n: answer for n, answer in zip(claims, found, strict=True) if answer is not None}


async def _erased_accounts(db: AsyncSession, wishes: Sequence[Wish]) -> dict[int, Outcome]:
    """A refusal for those whose account has gone since they asked: they could not let go of a seat.

    Before the locks of events, as erasing takes them: so neither waits in a circle.
    """
    accounts = {wish.account_id for wish in wishes if wish.account_id is not None}
    if not accounts:
        return {}
    held = await statements.hold_accounts(db, accounts)
    gone = accounts - held
    return {n: NotSignedIn() for n, wish in enumerate(wishes) if wish.account_id in gone}


async def _team_roles(
    db: AsyncSession, wishes: Sequence[Wish], states: dict[UUID, statements.State]
) -> dict[Membership, str]:
    """What callers do in the team of their event, asked for the few of whom it decides."""
    asking = {
        (wish.event_id, wish.actor.user_id)
        for wish in wishes
        if wish.actor.is_account and wish.actor.user_id is not None
        if (state := states.get(wish.event_id)) is not None
        if policy.is_hidden(state) or wish.account_id is None
        if not policy.may_own(wish.actor, state)
    }
    return await events.team_roles(db, asking) if asking else {}


def _refusal(
    wish: Wish, state: statements.State | None, roles: dict[Membership, str], now: datetime
) -> Outcome | None:
    """Why this wish is not decided by seats: unknown, not theirs, locked elsewhere, or closed."""
    if state is not None and roles and wish.actor.user_id is not None:
        state = replace(state, team_role=roles.get((wish.event_id, wish.actor.user_id)))
    if state is None or not policy.may_see(wish.actor, state):
        return NotFound()
    if not may_seat(wish.actor, wish.person, state):
        return NotAllowed("An account takes a seat for itself. Sign out to register as a guest.")
    if not state.is_locked:
        return LockedElsewhere()
    if state.status == "draft":
        return RegistrationClosed("The event is not published yet.", reason=Closed.NOT_OPEN_YET)
    return closed_refusal(state.window, now)


def closed_refusal(window: seats.Window, now: datetime) -> RegistrationClosed | None:
    """The refusal while the event takes no registrations, with what can be done next."""
    reason = seats.closed(window, now)
    match reason:
        case None:
            return None
        case Closed.CANCELLED:
            return RegistrationClosed("The event has been cancelled.", reason=reason)
        case Closed.OVER:
            return RegistrationClosed("The event is over.", reason=reason)
        case Closed.NOT_OPEN_YET:
            detail = "Registration has not opened yet; come back when it does."
            return RegistrationClosed(detail, reason=reason, opens_at=window.opens_at)
        case Closed.WINDOW_OVER:
            detail = "Registration has closed; ask the organizer whether a seat is left."
            return RegistrationClosed(detail, reason=reason, closed_at=window.closes_at)


def _seat(
    db: AsyncSession,
    wishes: Sequence[Wish],
    asking: dict[UUID, list[int]],
    states: dict[UUID, statements.State],
    now: datetime,
    secret: bytes,
) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    seated: list[tuple[Wish, Seated]] = []
    for event_id, mine in asking.items():
        state = states[event_id]
        decisions = seats.decide(state.seats, [wishes[n].person for n in mine], state.present)
        for n, decision in zip(mine, decisions, strict=True):
            outcome = _outcome(wishes[n], decision, state.timezone, now, secret)
            outcomes[n] = outcome
            if isinstance(outcome, Seated):
                seated.append((wishes[n], outcome))
    _write(db, seated, now)
    return outcomes


def _outcome(
    wish: Wish, decision: seats.Decision, timezone: str, now: datetime, secret: bytes
) -> Seated | TurnoutError:
    match decision.verdict:
        case Verdict.DUPLICATE:
            return AlreadyRegistered(
                "This e-mail address is registered for this event already; "
                "use that registration, or register with another address."
            )
        case Verdict.FULL:
            return EventFull(
                "Every seat is taken and there is no waitlist; try again later, as a seat comes "
                "free when someone cancels."
            )
        case Verdict.CONFIRMED | Verdict.WAITLISTED:
            status = Status(decision.verdict.value)
            registration_id = ids.new_id()
            registration = Registered(
                registration_id, wish.event_id, wish.name, wish.email, status, decision.position,
                None, now, now, wish.answers,
            )  # fmt: skip
            is_guest = not wish.account_id
            token = guests.derived_token(secret, registration_id) if is_guest else None
            return Seated(registration, token, timezone)


def _write(db: AsyncSession, seated: Sequence[tuple[Wish, Seated]], now: datetime) -> None:
    if not seated:
        return
    rows = [statements.row_of(wish, new) for wish, new in seated]
    statements.insert(db, rows)
    taken, waiting = Counter[UUID](), Counter[UUID]()
    for wish, new in seated:
        count = waiting if new.registration.status is Status.WAITLISTED else taken
        count[wish.event_id] += 1
    moves = [(event_id, taken[event_id], waiting[event_id]) for event_id in taken | waiting]
    statements.move_counters(db, moves)
    outbox.add(db, [_message(new.registration, now) for _, new in seated])
    audit.record(db, [_entry(wish, new.registration, now) for wish, new in seated])
    kept = [(wish.claim, wish.render(new)) for wish, new in seated if wish.claim is not None]
    idempotency.keep(db, kept, now)


def _message(registration: Registered, now: datetime) -> outbox.Message:
    topic = (
        Topic.REGISTRATION_WAITLISTED
        if registration.status is Status.WAITLISTED
        else Topic.REGISTRATION_CONFIRMED
    )
    payload: dict[str, object] = {
        "registration_id": str(registration.id),
        "event_id": str(registration.event_id),
    }
    if topic is Topic.REGISTRATION_CONFIRMED:
        payload["moved_up"] = False
    return outbox.Message(now, topic, registration.event_id, registration.id, payload)


def _entry(wish: Wish, registration: Registered, now: datetime) -> audit.Entry:
    changes = {"status": registration.status, "position": registration.waitlist_position}
    return audit.Entry(
        now, wish.cause, "registration.created", wish.event_id, registration.id, changes
    )
