"""Types of what people type in: text, numbers, addresses. Knows no feature, no HTTP, no database.

All checks but the one for unusual e-mail addresses run inside pydantic's Rust core.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from email_validator import (
    SPECIAL_USE_DOMAIN_NAMES,
    EmailNotValidError,
    ValidatedEmail,
    validate_email,
)
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from turnout.errors import Invalid

MAX_EMAIL_CHARACTERS = 254
INT64_MAX = 9_223_372_036_854_775_807

# Control characters, line and paragraph separators, and the marks that turn the direction of text
# around (U+202A-202E, U+2066-2069), with which one name can be made to look like another. Written
# as ranges that Rust, Python and ECMAScript read alike, because the API document shows them.
_BIDI = r"\u202a-\u202e\u2066-\u2069"
_UNSAFE_IN_LINE = rf"\u0000-\u001f\u007f-\u009f\u2028\u2029{_BIDI}"
_UNSAFE_IN_PARAGRAPHS = rf"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{_BIDI}"
# Spaces, zero-width characters and fillers: alone they make a text that looks empty.
_INVISIBLE = (
    r"\u0009\u000a\u000d\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028\u2029\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
)


class Input(BaseModel):
    """What a body is read into: refuses unknown fields and numbers that JSON does not have."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def _as_sent(schema: dict[str, Any], patch: "type[Patch]") -> None:
    """Let the schema speak of what is sent: None, by which a field is left out, is no default."""
    for name, described in schema["properties"].items():
        del described["default"]
        if name in patch.never_null:
            [kind] = (each for each in described.pop("anyOf") if each.get("type") != "null")
            described.update(kind)


class Patch(Input):
    """A change of something: what is left out stays as it is, and null empties what may be empty.

    Fields are optional by a default of None; `never_null` names those that cannot be empty.
    """

    model_config = ConfigDict(json_schema_extra=_as_sent)
    never_null: ClassVar[tuple[str, ...]] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None and info.field_name in cls.never_null:
            raise PydanticCustomError("never-null", "Cannot be null; leave it out to keep it.")
        return given

    def says(self, name: str) -> bool:
        """Whether the request has that field, be it null."""
        return name in self.model_fields_set


@dataclass(frozen=True)
class Line:
    """Text of one line: `Annotated[str, Line(200)]`. Stripped; lengths are in characters after it.

    Refuses control characters, direction overrides, and text with nothing to see in it.
    """

    max_length: int
    min_length: int = 1
    unsafe: str = _UNSAFE_IN_LINE

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        """The check, as pydantic asks for it."""
        return core_schema.str_schema(
            strict=True,
            strip_whitespace=True,
            min_length=self.min_length,
            max_length=self.max_length,
            pattern=self._pattern(),
        )

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The same for the API document."""
        return {
            "type": "string",
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": self._pattern(),
        }

    def _pattern(self) -> str:
        safe = f"[^{self.unsafe}]*"
        seen = f"{safe}[^{self.unsafe}{_INVISIBLE}]{safe}"
        return f"^{seen}$" if self.min_length else f"^({seen})?$"


@dataclass(frozen=True)
class Paragraphs(Line):
    """Text of several lines: like `Line`, but with tabs and line ends."""

    unsafe: str = _UNSAFE_IN_PARAGRAPHS


WholeNumber = Annotated[int, Field(strict=True, ge=-INT64_MAX - 1, le=INT64_MAX)]
"""An integer that both databases can hold; not `"5"`, not `true`, not `3.0`."""

YesOrNo = Annotated[bool, Field(strict=True)]
"""`true` or `false`, and nothing that only looks like it."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number; integers count."""

ZoneText = Annotated[str, Field(strict=True, max_length=64, examples=["Asia/Kolkata"])]
"""The name of a time zone, for `canonical_zone` to judge."""


class InvalidEmail(Invalid):
    """An e-mail address that mail cannot be sent to, or that imitates another."""

    code = "invalid-email"
    title = "This is not an e-mail address that can be used"
    explanation = (
        "Send one plain address of at most 254 characters, such as `ada@example.org`. "
        "Internationalised addresses are accepted. Refused are quoted local parts, IP addresses "
        "in place of a domain, domains that are reserved, and characters that are only another "
        "form of a plain letter (such as a circled or a full-width one)."
    )


# `test` is reserved too, but for just what people do before they trust a product (RFC 6761, 6.2).
SPECIAL_DOMAINS = frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"test"}

# The addresses nearly everyone has. A subset of what the library accepts (a test holds them
# together); it spares the library's 20 microseconds on the path of every registration.
_PLAIN = re.compile(
    r"(?=.{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9]{1,63}\.|[A-Za-z0-9]{1,30}-[A-Za-z0-9]{1,30}\.){1,4}"
    r"(?P<top>[A-Za-z]{2,24})"
)


def check_email(text: str) -> str:
    """`text` itself, as typed, if it is one usable address (RFC 5321, RFC 6531); no DNS is asked.

    Raises PydanticCustomError `invalid-email`, which pydantic turns into an error of the field.
    """
    if len(text) <= MAX_EMAIL_CHARACTERS and (_is_plain(text) or _is_usual(text)):
        return text
    raise PydanticCustomError("invalid-email", "Must be one valid e-mail address.")


EmailText = Annotated[
    str,
    Field(strict=True, json_schema_extra={"format": "email", "maxLength": MAX_EMAIL_CHARACTERS}),
    AfterValidator(check_email),
]
"""One e-mail address as typed, internationalised ones included; see `canonical_email`."""


def canonical_email(text: str) -> str:
    """The form in which two addresses are compared; equal exactly if they count as one person's.

    The domain is lower-cased and put into its ASCII form (IDNA, UTS 46), for that is the name mail
    goes to. The local part is compared without case, which RFC 5321 leaves to its host and every
    large host does: NFC, then each letter lowered where lowering and raising lead back to it.

    Not `casefold` and not NFKC: they turn `ſ`, `K` (Kelvin), `ﬁ` and `Ⓒ` into s, k, fi and c, so
    that whoever owns `ſam@...` would become `sam@...` here while their mail goes elsewhere.
    Of these, characters with a compatibility form are refused by `EmailText` altogether (as in
    the IdentifierClass of RFC 8264, 9.17); `ı` and `İ`, which people do have in their names, stay
    letters of their own. Plus signs and dots are kept: what they mean is the host's matter.

    Never raises. A text that is no address comes back in a form that equals no address's.
    """
    if text.isascii():
        return text.lower()
    validated = _validated(text)
    local, at, domain = text.rpartition("@")
    if validated is not None:
        domain = validated.ascii_domain
    lowered = "".join(_lower(letter) for letter in unicodedata.normalize("NFC", local))
    return f"{lowered}{at}{domain.lower()}"


def _lower(letter: str) -> str:
    lowered = letter.lower()
    return lowered if lowered.upper() == letter else letter


def _is_plain(text: str) -> bool:
    found = _PLAIN.fullmatch(text)
    return found is not None and found["top"].lower() not in SPECIAL_DOMAINS


def _is_usual(text: str) -> bool:
    # "=?" begins an encoded word (RFC 2047), which some mailers decode, line ends and all.
    if text != text.strip() or "=?" in text or any(_imitates(letter) for letter in text):
        return False
    return _validated(text) is not None


def _imitates(letter: str) -> bool:
    """Whether normalisation would put another single letter, or a plainer one, in its place."""
    composed = unicodedata.normalize("NFC", letter)
    return unicodedata.normalize("NFKC", letter) != composed or (
        len(composed) == 1 and composed != letter
    )


def _validated(text: str) -> ValidatedEmail | None:
    try:
        return validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        return None
