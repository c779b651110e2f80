"""Judges how a race ended: which promises about seats it shows broken. Asks no server."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.races.race import Asked, Finish, canonical
from tests.races.wire import Reply

ALREADY, FULL = "already-registered", "event-full"


def faults(finish: Finish, *, repeated: bool = False) -> list[str]:
    """Every broken promise, in a sentence each; empty when all were kept.

    Where requests were `repeated` under a key, several answers may tell of one registration.
    """
    told = [asked.reply.json["id"] for asked in finish.asked if asked.reply.status == 201]
    twice = len(told) - len(set(told))
    return [
        *([f"{twice} answers tell of another's registration"] if twice and not repeated else []),
        *_wrong_answers(finish),
        *_wrong_counts(finish),
        *_untrue_answers(finish),
        *_wrong_order(finish),
    ]


def keyed_faults(groups: Sequence[Sequence[Reply]]) -> list[str]:
    """What is wrong with the replies to requests that were each sent several times at once."""
    found: list[str] = []
    for replies in groups:
        statuses = {(reply.status, reply.code) for reply in replies}
        if statuses not in ({(201, "")}, {(409, FULL)}):
            found.append(f"one request was answered in several ways: {sorted(statuses)}")
        seated = {(reply.body, reply.headers["etag"]) for reply in replies if reply.status == 201}
        if len(seated) > 1:
            found.append(f"a replay is another answer: {seated}")
    return found


def _wrong_answers(finish: Finish) -> Iterator[str]:
    expected = {(201, ""), (409, ALREADY)} | (set() if finish.waitlist else {(409, FULL)})
    given = Counter((asked.reply.status, asked.reply.code) for asked in finish.asked)
    for (status, code), count in given.items():
        if (status, code) not in expected:
            yield f"{count} were answered {status} {code}"


def _wrong_counts(finish: Finish) -> Iterator[str]:
    people = len({asked.person for asked in finish.asked})
    confirmed = sum(each["status"] == "confirmed" for each in finish.attendees)
    waiting = len(finish.attendees) - confirmed
    due = min(finish.capacity, people)
    if confirmed > finish.capacity:
        yield f"oversold: {confirmed} of {finish.capacity} seats"
    if confirmed < due:
        yield f"undersold: {confirmed} of {due} seats"
    if finish.event["seats_taken"] != confirmed:
        yield f"drift: seats_taken is {finish.event['seats_taken']}, confirmed are {confirmed}"
    if waiting != (people - due if finish.waitlist else 0):
        yield f"{waiting} wait where {people} wanted {finish.capacity} seats"
    held = Counter(canonical(each["email"]) for each in finish.attendees)
    if held and max(held.values()) > 1:
        yield f"two seats for one person: {held.most_common(3)}"


def _untrue_answers(finish: Finish) -> Iterator[str]:
    seated = {canonical(each["email"]): each for each in finish.attendees}
    told = [asked.reply.json["id"] for asked in finish.asked if asked.reply.status == 201]
    there = {each["id"] for each in finish.attendees}
    if lost := set(told) - there:
        yield f"acknowledged and not there: {lost}"
    if phantom := there - set(told):
        yield f"there and never acknowledged: {phantom}"
    for asked in finish.asked:
        code = asked.reply.code
        if (code == ALREADY and asked.person not in seated) or (
            code == FULL and asked.person in seated
        ):
            yield f"{asked.person} was told {code}, which is not so"


def _wrong_order(finish: Finish) -> Iterator[str]:
    places = sorted(
        each["waitlist_position"] for each in finish.attendees if each["status"] == "waitlisted"
    )
    if places != list(range(1, len(places) + 1)):
        yield f"drift: the positions of the waitlist are {places}"
    seated = [asked for asked in finish.asked if asked.reply.status == 201]
    by_answer = sorted(seated, key=lambda asked: asked.answered)
    last, n = 0, 0
    for asked in sorted(seated, key=lambda asked: asked.sent):
        # Whoever was answered before this one was sent came first, so stands in front.
        while by_answer[n].answered < asked.sent:
            last = max(last, _place(by_answer[n]))
            n += 1
        if last and _place(asked) <= last:
            yield f"place {_place(asked)} was given after place {last}"


def _place(asked: Asked) -> int:
    """The position on the waitlist, 0 for who has a seat."""
    return asked.reply.json["waitlist_position"] or 0
