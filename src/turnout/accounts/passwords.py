"""Passwords: which are taken, which are too easy to guess, their hashes. Knows no account."""

import asyncio
import gzip
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Annotated, Any, ParamSpec, TypeVar

from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from turnout.accounts.errors import Busy, WeakPassword
from turnout.errors import FieldError
from turnout.structured import structlog

MIN_CHARACTERS, MAX_CHARACTERS = 12, 1024
# Of what is typed, before NFC, which makes one character of up to four (UAX #15, "Stability").
# Longer texts cost nothing; the worst of these are put into order within some 20 ms.
_MOST_TYPED = 4 * MAX_CHARACTERS

_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_REFUSED = re.compile(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")

# The minimum of OWASP's Password Storage Cheat Sheet for argon2id (RFC 9106), in KiB and passes.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
# As `Hasher` writes them, below 1 GiB: what somebody else wrote is damage, not an order to obey.
_FORM = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,6}),t=([0-9]{1,3}),p=[0-9]{1,2}"
    r"\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
)
NOBODYS_HASH = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
"""Verified in place of a hash that does not exist; no password is known that would have it."""

MOST_WAITING = 200
"""Who may wait for a thread; each takes some 20 ms, so that the last waits for a few seconds."""
_LARGE_BYTES = 4 * 1024 * 1024
_NICENESS = 10

PRODUCT = "turnout"
DATA_FILE = "common_passwords.txt.gz"
FORMAT = "Turnout common passwords 1"

_SHORTEST_PIECE = 3
"""Characters from which on a part of a name or an address says something about a person."""
_FEWEST_LETTERS_BESIDE = 4
"""Letters that a password must have beside what is known about the person."""
_FEWEST_DIFFERENT = 5
"""Different characters that a password must have."""
_SHORTEST_RUN, _MOST_BESIDE_RUNS = 3, 3
"""Characters of a run along keys, and how many beside all runs are too few."""
_LONGEST_LOOKED_UP = 64
"""Characters from which on a password is no variation of a listed one: they have 20 at most."""
_MOST_SWAPPED_AT_AN_END = 3
"""Signs at either end of a word that may stand for letters (`$un5h1n3`)."""
_SHORTEST_READ_INTO = 6
"""Characters from which on a word is seen through changes: shorter ones are in any random text."""
_SHORTEST_OF_TWO = 4

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz", "12345678901234567890", "1q2w3e4r5t6y7u8i9o0p",
    "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "yxcvbnm,.-", "asdfghjklöä",
    "azertyuiop", "qsdfghjklm", "wxcvbn", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
    "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "!@#$%^&*()",
)  # fmt: skip
_RUNS = "\n".join((*_ROWS, *(row[::-1] for row in _ROWS)))
_SWAPS = tuple(str.maketrans("@4380$57!+691", "aaebosstitgg" + one) for one in ("i", "l"))
_SIGNS = re.compile(r"[\W_]+")

log = structlog.get_logger()

_P = ParamSpec("_P")
_T = TypeVar("_T")


def prepared(text: str) -> str:
    """`text` in the form that is hashed: what the OpaqueString profile maps it to (RFC 8265, 4.2).

    NFC, and spaces of any kind are U+0020, so that a password does not depend on the keyboard. Of
    what the profile refuses, `check_password` refuses only part: emoji need their joiners.
    """
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text))


def check_password(text: str) -> str:
    """The `prepared` form of a new password; nothing is cut off or trimmed.

    Raises PydanticCustomError (a ValueError), which pydantic turns into an error of the field, for
    fewer than 12 or more than 1,024 characters, and for control characters and lone surrogates.
    """
    password = prepared(text) if len(text) <= _MOST_TYPED else text
    if len(password) > MAX_CHARACTERS:
        raise PydanticCustomError("too-long", "May have at most 1024 characters.")
    if _REFUSED.search(password):
        raise PydanticCustomError("invalid", "Holds characters that are not allowed here.")
    if len(password) < MIN_CHARACTERS:
        raise PydanticCustomError(WeakPassword.code, "Must have at least 12 characters.")
    return password


_AS_PASSWORD = {"format": "password"}
_LENGTHS = {"minLength": MIN_CHARACTERS, "maxLength": MAX_CHARACTERS}

PasswordText = Annotated[
    str,
    Field(strict=True, json_schema_extra={**_AS_PASSWORD, **_LENGTHS}),
    AfterValidator(check_password),
]
"""A new password, in its `prepared` form; ask `check_strength` as well."""

TypedPassword = Annotated[str, Field(strict=True, json_schema_extra={**_AS_PASSWORD})]
"""What somebody signs in with: any text, for `Hasher.verify` to judge."""


def check_strength(password: str, *, personal: tuple[str, ...]) -> None:
    """Nothing for a password that takes guessing; WeakPassword, with the reason, for another.

    `personal` is what others know about the person: the e-mail address, the name.
    """
    why = _weakness(prepared(password).casefold(), personal)
    if why is not None:
        wrong = FieldError("password", WeakPassword.code, why)
        raise WeakPassword(f"password: {why}", fields=(wrong,))


def _weakness(text: str, personal: tuple[str, ...]) -> str | None:
    piece = _piece(text)
    if len(piece) < MIN_CHARACTERS or len(set(text)) < _FEWEST_DIFFERENT:
        return "Is one short piece or a few characters over and over."
    if _is_in_rows(piece):
        return "Follows the alphabet, the digits or the keys of a keyboard."
    if _is_about(piece, personal):
        return "Is little more than your name, your e-mail address or the name of this product."
    if _is_common(piece):
        return "Is one that many people use, or a simple variation of one."
    return None


def _piece(text: str) -> str:
    """The shortest piece that `text` is a repetition of: all of it, for most texts."""
    return text[: (text + text).find(text, 1)]


def _is_in_rows(text: str) -> bool:
    """Whether hardly anything is left without the runs along the alphabet and rows of keys."""
    beside = at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and text[at : end + 1] in _RUNS:
            end += 1
        is_run = end - at >= _SHORTEST_RUN
        beside += 0 if is_run else 1
        at = end if is_run else at + 1
    return beside <= _MOST_BESIDE_RUNS


def _is_about(text: str, personal: tuple[str, ...]) -> bool:
    """Whether few letters, or just a common word, are left without what is known of the person."""
    pieces = sorted(_pieces((*personal, PRODUCT)), key=len, reverse=True)
    return any(
        _is_little_beside(pieces, reading) for core in _cores(text) for reading in _readings(core)
    )


def _is_little_beside(pieces: list[str], text: str) -> bool:
    rest = text
    for piece in pieces:
        rest = rest.replace(piece, "")
    letters = sum(letter.isalpha() for letter in rest)
    return rest != text and (letters < _FEWEST_LETTERS_BESIDE or _is_common(rest))


def _pieces(texts: tuple[str, ...]) -> set[str]:
    """What a password may be made of: each text, its words, and these written as one."""
    found: set[str] = set()
    for text in texts:
        folded = prepared(text).casefold()
        words = re.findall(r"[^\W_]+", folded)
        found.update((folded, "".join(words), *words))
    return {piece for piece in found if len(piece) >= _SHORTEST_PIECE}


def _is_common(text: str) -> bool:
    """Whether it is listed, or a listed word with usual changes, or two very common ones."""
    return len(text) <= _LONGEST_LOOKED_UP and any(
        _list().knows(reading) for core in _cores(text) for reading in _readings(core)
    )


def _cores(text: str) -> Iterator[str]:
    """`text`, and what there is of it without digits and signs at its ends, or some of them."""
    yield text
    letters = [at for at, letter in enumerate(text) if letter.isalpha()]
    if not letters:
        return
    first, last = letters[0], letters[-1] + 1
    for start in range(max(0, first - _MOST_SWAPPED_AT_AN_END), first + 1):
        for end in range(last, min(len(text), last + _MOST_SWAPPED_AT_AN_END) + 1):
            yield text[start:end]


def _readings(text: str) -> set[str]:
    """`text`; it without signs; both with letters for the digits and signs that look like them."""
    spelt = {text, *(text.translate(swaps) for swaps in _SWAPS)}
    read = spelt | {_SIGNS.sub("", each) for each in spelt}
    return {text, *(each for each in read if len(each) >= _SHORTEST_READ_INTO)}


class _CommonPasswords:
    """Some 40,000 words in one block of bytes, searched where they lie: a set takes 4 MiB."""

    __slots__ = ("_common", "_very_common")

    def __init__(self, packed: bytes) -> None:
        head, very_common, common = gzip.decompress(packed).split(b"\n\n")
        if not head.decode().startswith(FORMAT):
            raise ValueError("This is not a list of the present format.")
        self._very_common = frozenset(very_common.decode().split("\n"))
        self._common = common

    def knows(self, word: str) -> bool:
        """Whether it is a listed word, once or repeated, or two very common ones in a row."""
        return any(self._lists(each) for each in {word, _piece(word)}) or self._are_two(word)

    def _are_two(self, word: str) -> bool:
        """Whether it is two of the very common words, perhaps with digits between them."""
        for at in range(_SHORTEST_OF_TWO, len(word) - _SHORTEST_OF_TWO + 1):
            if word[:at] in self._very_common:
                rest = word[at:]
                if {rest, rest.lstrip("0123456789")} & self._very_common:
                    return True
        return False

    def _lists(self, word: str) -> bool:
        if word in self._very_common:
            return True
        wanted, low, high = word.encode(), 0, len(self._common)
        while low < high:
            start = self._common.rfind(b"\n", 0, (low + high) // 2) + 1
            end = self._common.index(b"\n", start)
            line = self._common[start:end]
            if line == wanted:
                return True
            low, high = (end + 1, high) if line < wanted else (low, start)
        return False


@cache
def _list() -> _CommonPasswords:
    data = resources.files("turnout.accounts").joinpath("data", DATA_FILE)
    return _CommonPasswords(data.read_bytes())


class Hasher:
    """Hashes and verifies passwords in threads of its own; one for each process.

    One core is left to the event loop. The threads, which are started when they are first needed,
    let everything else go before them: whoever signs in can wait, whoever reads should not.
    """

    def __init__(self) -> None:
        self.threads = max(1, _cores_here() - 1)
        self._argon2 = Argon2Hasher(PASSES, MEMORY_KIB, LANES)
        self._pool: ThreadPoolExecutor | None = None
        self._unfinished: set[Future[Any]] = set()

    async def hash(self, password: str) -> str:
        """The hash to store (97 characters) of a password that `check_password` takes.

        Raises ValueError for another, Busy when too many wait.
        """
        return await self._in_thread(self._argon2.hash, check_password(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is the hash of that password; any text may be asked about.

        Takes the same work whether there is a hash or not (None, or one that is damaged, which is
        logged), so that nobody learns from the time which addresses have an account. A text that
        is too long for any password is refused at once, for every address. Raises Busy.
        """
        text = prepared(password) if len(password) <= _MOST_TYPED else password
        if len(text) > MAX_CHARACTERS:
            return False
        usable = _usable(stored)
        raw = text.encode("utf-8", "surrogatepass")
        matches = await self._in_thread(self._argon2.verify, raw, usable or NOBODYS_HASH)
        return matches and usable is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether it was made with less work than is done today; ask after a successful sign-in."""
        found = _FORM.fullmatch(stored)
        return found is None or int(found[1]) < MEMORY_KIB or int(found[2]) < PASSES

    async def aclose(self) -> None:
        """Answer who waits, and end the threads; a second call does nothing."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)

    async def _in_thread(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        if len(self._unfinished) >= self.threads + MOST_WAITING:
            raise Busy
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "passwords", _give_way)
        future = self._pool.submit(work, *args, **kwargs)
        # By the thread's future, not by the caller: one who left while waiting is out at once, but
        # the work of one who left later goes on. Additions and removals of a set are atomic.
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return await asyncio.wrap_future(future)


def _usable(stored: str | None) -> str | None:
    if stored is None or _FORM.fullmatch(stored):
        return stored
    log.error("a stored password hash is damaged", characters=len(stored))
    return None


def _cores_here() -> int:
    is_known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if is_known else os.cpu_count() or 1


def _give_way() -> None:
    """Lower the priority of the present thread alone, as Linux can, and give memory back."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        _return_large_memory()


def _return_large_memory() -> None:
    """Let the C library return what one hash took, instead of keeping 19 MiB for the next one.

    It takes the first such piece for a habit (mallopt(3), M_MMAP_THRESHOLD, whose value is -3).
    """
    # Imported here: only a process that hashes has a use for it.
    import ctypes

    with suppress(AttributeError):  # a C library that keeps nothing has no such call
        ctypes.CDLL(None).mallopt(-3, _LARGE_BYTES)
