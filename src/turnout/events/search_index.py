"""The index of what everyone finds, kept by the database itself beside the table of events.

Triggers fill it from the lexemes in each event's row, so that nothing that writes an event can
forget it. Only what is published and public is in it. SQLite: FTS5 over the rows, numbered in the
order of their start, so that matches come soonest first without sorting (fts5.html, 4.4 and 5);
all words there are stand in a table, by which the beginning of a word becomes the words that begin
so: asked for a beginning, FTS5 would read all that matches before it gives the first. Places stand
in bands of latitude, each from west to east, so that what is near is read and nothing else.
PostgreSQL: `tsvector` with GIN, which knows no order: beside the words stand the spans of time
that an event begins in, by which only the soonest matches are read, and all words there are stand
in a table here too. Each facet has the starts and ends of its events in order, and cells their
positions: what lies outside of a circle is not read any further.

A migration that rebuilds the table of events on SQLite takes the view and the triggers away first
and makes them again: the view keeps it from renaming, and the triggers go with the old table.
"""

import math

from sqlalchemy import DDL, event

from turnout.events.models import Event

SECOND = 1 << 30
"""Numbers that each second of starts has: seconds to the year 2199 and these fit 63 bits."""
SHORTEST, LONGEST = 2, 3
"""Letters of the beginnings of words that the index keeps as they are."""
BEGINNING = "=p"
"""What marks them on PostgreSQL; FTS5 has them apart (fts5.html, 4.2)."""
FINE_DAYS, COARSE_DAYS = 16, 256
"""How long the spans of time are that PostgreSQL has beside the words, from 1970 on (UTC)."""
PLACED = "^=[gd]"
"""The facets that have positions there: cells, and classes of lengths."""
FINE, COARSE = "=m0_", "=m1_"
"""What begins their lexemes; their number follows."""
TABLES_OF_SQLITE = ("data", "idx", "content", "docsize", "config")
TABLES = (
    *("event_search", "event_numbers", "event_terms", "event_places", "event_facets"),
    *(f"event_search_{each}" for each in TABLES_OF_SQLITE),
)
"""The tables that belong to no model; FTS5 keeps some under its own names (fts5.html, 9)."""

# Older versions of SQLite round to the next second, which would sort before what starts in it.
_BASE = f"""CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * {SECOND}"""
_NUMBER = f"""SELECT coalesce(max(number) + 1, {_BASE}), NEW.id, NEW.end_at
    FROM event_numbers
    WHERE number >= {_BASE}
    AND number < {_BASE} + {SECOND}"""  # noqa: S608 - constants of this file
_IS_LISTED = "NEW.status = 'published' AND NEW.visibility = 'public'"
_ADD = """INSERT INTO event_search (rowid, title, words, facets)
    SELECT number, NEW.title_words, NEW.words, NEW.facets FROM event_numbers
    WHERE event_id = NEW.id"""
# Never taken back: a word that no event has any more finds nothing, and costs nothing.
_LEARN = f"""INSERT OR IGNORE INTO event_terms (term)
    SELECT value FROM json_each(
        '["' || replace(NEW.title_words || ' ' || NEW.words, ' ', '","') || '"]')
    WHERE value <> '' AND {_IS_LISTED}"""  # noqa: S608 - constants of this file
_REMOVE = """INSERT INTO event_search (event_search, rowid, title, words, facets)
    SELECT 'delete', number, OLD.title_words, OLD.words, OLD.facets FROM event_numbers
    WHERE event_id = OLD.id;
    DELETE FROM event_numbers WHERE event_id = OLD.id"""
BANDS_PER_DEGREE = 50
"""Of latitude, from the South Pole on: each is 2.2 km from south to north."""


def band(latitude: float) -> int:
    """The band that a latitude (degrees) lies in."""
    return math.floor((latitude + 90) * BANDS_PER_DEGREE)


def _band(row: str) -> str:
    return f"CAST(({row}.place_latitude + 90) * {BANDS_PER_DEGREE} AS INTEGER)"


_PLACED = ("start_at", "end_at", "place_x", "place_y", "place_z")
_ADD_PLACE = f"""INSERT INTO event_places (band, longitude, id, {", ".join(_PLACED)})
    SELECT {_band("NEW")}, NEW.place_longitude, NEW.id,
        {", ".join(f"NEW.{name}" for name in _PLACED)}
    WHERE {_IS_LISTED} AND NEW.place_x IS NOT NULL
        AND NEW.place_y IS NOT NULL AND NEW.place_z IS NOT NULL"""
_REMOVE_PLACE = f"""DELETE FROM event_places
    WHERE band = {_band("OLD")}
    AND longitude = OLD.place_longitude AND id = OLD.id"""  # noqa: S608 - constants of this file
_BESIDE_PLACED = ("place_latitude", "place_longitude", "status", "visibility")
_MOVED = "\n    OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in (*_PLACED, *_BESIDE_PLACED))
_INDEXED = ("start_at", "status", "visibility", "title_words", "words", "facets")
_CHANGED = "\n    OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _INDEXED)

OF_SQLITE = (
    """CREATE TABLE event_numbers (
    number INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    end_at DATETIME NOT NULL,
    CONSTRAINT pk_event_numbers PRIMARY KEY (number),
    CONSTRAINT uq_event_numbers_event_id UNIQUE (event_id)
)""",
    """CREATE TABLE event_terms (
    term VARCHAR NOT NULL,
    CONSTRAINT pk_event_terms PRIMARY KEY (term)
) WITHOUT ROWID""",
    """CREATE VIEW event_search_rows AS
SELECT n.number, e.title_words AS title, e.words, e.facets
FROM event_numbers AS n JOIN events AS e ON e.id = n.event_id""",
    f"""CREATE VIRTUAL TABLE event_search USING fts5(
    title, words, facets, content='event_search_rows', content_rowid='number',
    tokenize="ascii tokenchars '=_'", prefix='{SHORTEST} {LONGEST}', detail='column', columnsize=0
)""",
    f"""CREATE TRIGGER events_search_insert AFTER INSERT ON events
WHEN {_IS_LISTED} BEGIN
    INSERT INTO event_numbers (number, event_id, end_at)
    {_NUMBER};
    {_ADD};
    {_LEARN};
END""",
    f"""CREATE TRIGGER events_search_update
AFTER UPDATE OF {", ".join(_INDEXED)} ON events
WHEN {_CHANGED} BEGIN
    {_REMOVE};
    INSERT INTO event_numbers (number, event_id, end_at)
    SELECT * FROM (
    {_NUMBER})
    WHERE {_IS_LISTED};
    {_ADD};
    {_LEARN};
END""",  # noqa: S608 - constants of this file
    f"""CREATE TRIGGER events_search_delete AFTER DELETE ON events BEGIN
    {_REMOVE};
END""",
    # Whichever of the triggers comes first: the number may be another one by then.
    """CREATE TRIGGER events_ends_update AFTER UPDATE OF end_at ON events
WHEN OLD.end_at IS NOT NEW.end_at BEGIN
    UPDATE event_numbers SET end_at = NEW.end_at WHERE event_id = NEW.id;
END""",
    """CREATE TABLE event_places (
    band INTEGER NOT NULL,
    longitude FLOAT NOT NULL,
    id BLOB NOT NULL,
    start_at DATETIME NOT NULL,
    end_at DATETIME NOT NULL,
    place_x FLOAT NOT NULL,
    place_y FLOAT NOT NULL,
    place_z FLOAT NOT NULL,
    CONSTRAINT pk_event_places PRIMARY KEY (band, longitude, id)
) WITHOUT ROWID""",
    f"""CREATE TRIGGER events_places_insert AFTER INSERT ON events BEGIN
    {_ADD_PLACE};
END""",
    f"""CREATE TRIGGER events_places_update
AFTER UPDATE OF {", ".join(_PLACED)},
    {", ".join(_BESIDE_PLACED)} ON events
WHEN {_MOVED} BEGIN
    {_REMOVE_PLACE};
    {_ADD_PLACE};
END""",
    f"""CREATE TRIGGER events_places_delete AFTER DELETE ON events BEGIN
    {_REMOVE_PLACE};
END""",
)

_SPANS = "spans_of(NEW.start_at)"
_TITLE = f"lexemes_of(NEW.title_words, {_SPANS})"
_WORDS = f"""lexemes_of(
                concat_ws(' ', NEW.title_words, NEW.words),
                concat_ws(' ', NEW.facets, {_SPANS}))"""
_INDEXED_THERE = (*_INDEXED, "end_at", "place_x", "place_y", "place_z")
_DISTINCT = "\n    OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _INDEXED_THERE)

OF_POSTGRESQL = (
    """CREATE TABLE event_search (
    event_id uuid NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    lasting integer NOT NULL,
    title tsvector NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT pk_event_search PRIMARY KEY (event_id),
    CONSTRAINT fk_event_search_event_id FOREIGN KEY (event_id)
        REFERENCES events (id) ON DELETE CASCADE
)""",
    """CREATE TABLE event_facets (
    facet varchar COLLATE "C" NOT NULL,
    start_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    end_at timestamptz NOT NULL,
    place_x double precision,
    place_y double precision,
    place_z double precision,
    CONSTRAINT pk_event_facets PRIMARY KEY (facet, start_at, event_id)
        INCLUDE (end_at, place_x, place_y, place_z)
)""",
    # Words that there are, once or more often: were they unique, writers would wait for each other.
    """CREATE TABLE event_terms (
    term varchar COLLATE "C" NOT NULL
)""",
    "CREATE INDEX ix_event_terms_term ON event_terms (term)",
    "CREATE INDEX ix_event_search_start_at ON event_search (start_at, event_id)",
    """CREATE INDEX ix_event_search_long
    ON event_search (lasting, start_at, event_id) WHERE lasting > 0""",
    """CREATE INDEX ix_event_search_title ON event_search
    USING gin (title) WITH (fastupdate = off)""",
    """CREATE INDEX ix_event_search_words ON event_search
    USING gin (words) WITH (fastupdate = off)""",
    # A beginning of two or three letters is a lexeme of its own: looked for as a beginning, it
    # would be read of every word that begins so.
    f"""CREATE FUNCTION lexemes_of(words text, facets text) RETURNS tsvector
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_tsvector(
        array_remove(string_to_array(concat_ws(' ', words, facets), ' '), '')
        || ARRAY(
            SELECT '{BEGINNING}' || left(word, letters)
            FROM unnest(string_to_array(words, ' ')) AS word,
                generate_series({SHORTEST}, {LONGEST}) AS letters
            WHERE length(word) >= letters))
$$""",  # noqa: S608 - constants of this file
    f"""CREATE FUNCTION spans_of(instant timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{FINE}' || floor(extract(epoch FROM instant) / {FINE_DAYS * 86_400})
        || ' {COARSE}' || floor(extract(epoch FROM instant) / {COARSE_DAYS * 86_400})
$$""",  # noqa: S608 - constants of this file
    # Its plans are kept from while a table was empty, when to scan it looked best.
    f"""CREATE FUNCTION index_event() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM event_search WHERE event_id = OLD.id;
        DELETE FROM event_facets f
        USING unnest(string_to_array(OLD.facets, ' ')) AS old_facet
        WHERE f.facet = old_facet AND f.start_at = OLD.start_at AND f.event_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND {_IS_LISTED} THEN
        INSERT INTO event_search (event_id, start_at, end_at, lasting, title, words)
        VALUES (
            NEW.id, NEW.start_at, NEW.end_at, NEW.lasting,
            {_TITLE},
            {_WORDS});
        INSERT INTO event_facets
            (facet, start_at, event_id, end_at, place_x, place_y, place_z)
        SELECT
            new_facet, NEW.start_at, NEW.id, NEW.end_at,
            CASE WHEN is_placed THEN NEW.place_x END,
            CASE WHEN is_placed THEN NEW.place_y END,
            CASE WHEN is_placed THEN NEW.place_z END
        FROM (SELECT DISTINCT each AS new_facet, each ~ '{PLACED}' AS is_placed
            FROM unnest(string_to_array(NEW.facets, ' ')) AS each) AS new_facets;
        INSERT INTO event_terms (term)
        SELECT DISTINCT word
        FROM unnest(string_to_array(concat_ws(' ', NEW.title_words, NEW.words), ' ')) AS word
        WHERE word <> '' AND
            (SELECT t.term FROM event_terms AS t WHERE t.term = word LIMIT 1) IS NULL;
    END IF;
    RETURN NULL;
END
$$""",  # noqa: S608 - constants of this file
    f"""CREATE TRIGGER events_search_insert AFTER INSERT ON events
FOR EACH ROW WHEN ({_IS_LISTED})
EXECUTE FUNCTION index_event()""",
    f"""CREATE TRIGGER events_search_update AFTER UPDATE ON events
FOR EACH ROW WHEN ({_DISTINCT})
EXECUTE FUNCTION index_event()""",
    """CREATE TRIGGER events_search_delete AFTER DELETE ON events
FOR EACH ROW EXECUTE FUNCTION index_event()""",
)

for _dialect, _statements in (("sqlite", OF_SQLITE), ("postgresql", OF_POSTGRESQL)):
    for _statement in _statements:
        event.listen(
            Event.__table__,
            "after_create",
            DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
        )
