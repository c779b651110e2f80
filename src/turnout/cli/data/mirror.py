"""The fields of conference lists that an event in full implies; it must not know files.

An export writes them for other programs. An import takes an event in full from its other fields,
so these must say the same: a cell that somebody changed would otherwise change nothing.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from turnout.events.conference_findings import Remark
from turnout.events.conference_places import ONLINE

FIELDS = ("url", "startDate", "endDate", "online", "cfpUrl", "cfpEndDate")
LONGEST_SHOWN = 100

_WEBSITE = re.compile(r"^Website: <([^<>\s]+)>$", re.MULTILINE)
_CALL = re.compile(
    r"^Call for papers: (?:<(?P<url>[^<>\s]+)>)?(?:, )?(?:until (?P<until>[0-9-]{10}))?$",
    re.MULTILINE,
)


def of(
    start_local: datetime,
    end_local: datetime,
    location: str,
    online_url: str | None,
    description: str,
) -> dict[str, object]:
    """The values of FIELDS, None or False where there is nothing to say.

    `start_local` and `end_local` are wall clocks of the event's zone.
    """
    website = _WEBSITE.search(description)
    call = _CALL.search(description)
    return {
        "url": online_url or (website[1] if website else None),
        "startDate": start_local.date().isoformat(),
        "endDate": end_local.date().isoformat(),
        "online": online_url is not None or location == ONLINE,
        "cfpUrl": call["url"] if call else None,
        "cfpEndDate": call["until"] if call else None,
    }


def contradictions(given: Mapping[str, object], implied: Mapping[str, object]) -> list[Remark]:
    """One reason to refuse for each field that is given and says something else."""
    found = []
    for field in FIELDS:
        said, meant = _text(given.get(field)), _text(implied[field])
        if said not in ("", meant):
            shown = "".join(filter(str.isprintable, said))[:LONGEST_SHOWN]
            sentence = (
                f"It says “{shown}”, and the other fields mean “{meant}”: change them alike, "
                "or clear this one."
            )
            found.append(Remark("contradiction", field, sentence))
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    return text.lower() if text.lower() in ("true", "false") else text
