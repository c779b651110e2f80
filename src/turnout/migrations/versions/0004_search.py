"""Search on PostgreSQL reads the soonest alone: spans of time beside words, positions in facets."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = (
    """CREATE TABLE event_facets (
    facet varchar COLLATE "C" NOT NULL,
    start_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT pk_event_facets PRIMARY KEY (facet, start_at, event_id)
)""",
    """CREATE FUNCTION index_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM event_search WHERE event_id = OLD.id;
        DELETE FROM event_facets f
        USING unnest(string_to_array(OLD.facets, ' ')) AS old_facet
        WHERE f.facet = old_facet AND f.start_at = OLD.start_at AND f.event_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'published' AND NEW.visibility = 'public' THEN
        INSERT INTO event_search (event_id, start_at, end_at, lasting, title, words)
        VALUES (
            NEW.id, NEW.start_at, NEW.end_at, NEW.lasting,
            lexemes_of(NEW.title_words, ''),
            lexemes_of(concat_ws(' ', NEW.title_words, NEW.words), NEW.facets));
        INSERT INTO event_facets (facet, start_at, event_id)
        SELECT DISTINCT new_facet, NEW.start_at, NEW.id
        FROM unnest(string_to_array(NEW.facets, ' ')) AS new_facet;
    END IF;
    RETURN NULL;
END
$$""",
    """CREATE TRIGGER events_search_update AFTER UPDATE ON events
FOR EACH ROW WHEN (OLD.start_at IS DISTINCT FROM NEW.start_at
    OR OLD.status IS DISTINCT FROM NEW.status
    OR OLD.visibility IS DISTINCT FROM NEW.visibility
    OR OLD.title_words IS DISTINCT FROM NEW.title_words
    OR OLD.words IS DISTINCT FROM NEW.words
    OR OLD.facets IS DISTINCT FROM NEW.facets
    OR OLD.end_at IS DISTINCT FROM NEW.end_at)
EXECUTE FUNCTION index_event()""",
)
"""What was there of it, by 0003."""
OF_POSTGRESQL = (
    """CREATE TABLE event_terms (
    term varchar COLLATE "C" NOT NULL
)""",
    "CREATE INDEX ix_event_terms_term ON event_terms (term)",
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
    """CREATE FUNCTION spans_of(instant timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '=m0_' || floor(extract(epoch FROM instant) / 1382400)
        || ' =m1_' || floor(extract(epoch FROM instant) / 22118400)
$$""",
    """CREATE FUNCTION index_event() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM event_search WHERE event_id = OLD.id;
        DELETE FROM event_facets f
        USING unnest(string_to_array(OLD.facets, ' ')) AS old_facet
        WHERE f.facet = old_facet AND f.start_at = OLD.start_at AND f.event_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'published' AND NEW.visibility = 'public' THEN
        INSERT INTO event_search (event_id, start_at, end_at, lasting, title, words)
        VALUES (
            NEW.id, NEW.start_at, NEW.end_at, NEW.lasting,
            lexemes_of(NEW.title_words, spans_of(NEW.start_at)),
            lexemes_of(
                concat_ws(' ', NEW.title_words, NEW.words),
                concat_ws(' ', NEW.facets, spans_of(NEW.start_at))));
        INSERT INTO event_facets
            (facet, start_at, event_id, end_at, place_x, place_y, place_z)
        SELECT
            new_facet, NEW.start_at, NEW.id, NEW.end_at,
            CASE WHEN is_placed THEN NEW.place_x END,
            CASE WHEN is_placed THEN NEW.place_y END,
            CASE WHEN is_placed THEN NEW.place_z END
        FROM (SELECT DISTINCT each AS new_facet, each ~ '^=[gd]' AS is_placed
            FROM unnest(string_to_array(NEW.facets, ' ')) AS each) AS new_facets;
        INSERT INTO event_terms (term)
        SELECT DISTINCT word
        FROM unnest(string_to_array(concat_ws(' ', NEW.title_words, NEW.words), ' ')) AS word
        WHERE word <> '' AND
            (SELECT t.term FROM event_terms AS t WHERE t.term = word LIMIT 1) IS NULL;
    END IF;
    RETURN NULL;
END
$$""",
    """CREATE TRIGGER events_search_update AFTER UPDATE ON events
FOR EACH ROW WHEN (OLD.start_at IS DISTINCT FROM NEW.start_at
    OR OLD.status IS DISTINCT FROM NEW.status
    OR OLD.visibility IS DISTINCT FROM NEW.visibility
    OR OLD.title_words IS DISTINCT FROM NEW.title_words
    OR OLD.words IS DISTINCT FROM NEW.words
    OR OLD.facets IS DISTINCT FROM NEW.facets
    OR OLD.end_at IS DISTINCT FROM NEW.end_at
    OR OLD.place_x IS DISTINCT FROM NEW.place_x
    OR OLD.place_y IS DISTINCT FROM NEW.place_y
    OR OLD.place_z IS DISTINCT FROM NEW.place_z)
EXECUTE FUNCTION index_event()""",
)
"""What is there instead."""

_OF_LISTED = """FROM event_search AS s JOIN events AS e ON e.id = s.event_id
CROSS JOIN unnest(string_to_array(e.facets, ' ')) AS facet
ORDER BY facet COLLATE "C", e.start_at, e.id"""  # in which order an index is filled soonest
_FACETS_BEFORE = f"""INSERT INTO event_facets (facet, start_at, event_id)
SELECT DISTINCT facet COLLATE "C", e.start_at, e.id
{_OF_LISTED}"""
_FACETS = f"""INSERT INTO event_facets
    (facet, start_at, event_id, end_at, place_x, place_y, place_z)
SELECT DISTINCT facet COLLATE "C", e.start_at, e.id, e.end_at,
    CASE WHEN facet ~ '^=[gd]' THEN e.place_x END,
    CASE WHEN facet ~ '^=[gd]' THEN e.place_y END,
    CASE WHEN facet ~ '^=[gd]' THEN e.place_z END
{_OF_LISTED}"""
_TERMS = """INSERT INTO event_terms (term)
SELECT DISTINCT word COLLATE "C"
FROM event_search AS s JOIN events AS e ON e.id = s.event_id
CROSS JOIN unnest(string_to_array(concat_ws(' ', e.title_words, e.words), ' ')) AS word
WHERE word <> '' ORDER BY 1"""
_ADD_SPANS = """UPDATE event_search AS s SET title = title || spans, words = words || spans
FROM (SELECT event_id, array_to_tsvector(string_to_array(spans_of(start_at), ' ')) AS spans
    FROM event_search) AS n
WHERE n.event_id = s.event_id"""
_TAKE_SPANS = """UPDATE event_search
SET title = ts_delete(title, string_to_array(spans_of(start_at), ' ')),
    words = ts_delete(words, string_to_array(spans_of(start_at), ' '))"""


_INDEX = """INSERT INTO event_search (rowid, title, words, facets)
    SELECT number, NEW.title_words, NEW.words, NEW.facets FROM event_numbers
    WHERE event_id = NEW.id;
    INSERT OR IGNORE INTO event_terms (term)
    SELECT value FROM json_each(
        '["' || replace(NEW.title_words || ' ' || NEW.words, ' ', '","') || '"]')
    WHERE value <> '' AND NEW.status = 'published' AND NEW.visibility = 'public';
END"""


def _numbers(declared: str, name: str, value: str) -> tuple[str, ...]:
    """The table of numbers and the triggers that fill it, with or without when events end."""
    base = """CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824"""
    number = f"""SELECT coalesce(max(number) + 1, {base}), NEW.id{value}
    FROM event_numbers
    WHERE number >= {base}
    AND number < {base} + 1073741824"""  # noqa: S608 - constants of this file
    return (
        f"""CREATE TABLE event_numbers (
    number INTEGER NOT NULL,
    event_id BLOB NOT NULL,{declared}
    CONSTRAINT pk_event_numbers PRIMARY KEY (number),
    CONSTRAINT uq_event_numbers_event_id UNIQUE (event_id)
)""",
        f"""CREATE TRIGGER events_search_insert AFTER INSERT ON events
WHEN NEW.status = 'published' AND NEW.visibility = 'public' BEGIN
    INSERT INTO event_numbers (number, event_id{name})
    {number};
    {_INDEX}""",
        f"""CREATE TRIGGER events_search_update
AFTER UPDATE OF start_at, status, visibility, title_words, words, facets ON events
WHEN OLD.start_at IS NOT NEW.start_at
    OR OLD.status IS NOT NEW.status
    OR OLD.visibility IS NOT NEW.visibility
    OR OLD.title_words IS NOT NEW.title_words
    OR OLD.words IS NOT NEW.words
    OR OLD.facets IS NOT NEW.facets BEGIN
    INSERT INTO event_search (event_search, rowid, title, words, facets)
    SELECT 'delete', number, OLD.title_words, OLD.words, OLD.facets FROM event_numbers
    WHERE event_id = OLD.id;
    DELETE FROM event_numbers WHERE event_id = OLD.id;
    INSERT INTO event_numbers (number, event_id{name})
    SELECT * FROM (
    {number})
    WHERE NEW.status = 'published' AND NEW.visibility = 'public';
    {_INDEX}""",  # noqa: S608 - constants of this file
    )


BEFORE_OF_SQLITE = _numbers("", "", "")
"""What was there of it on SQLite, by 0003."""
OF_SQLITE = (
    *_numbers("\n    end_at DATETIME NOT NULL,", ", end_at", ", NEW.end_at"),
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
    """CREATE TRIGGER events_places_insert AFTER INSERT ON events BEGIN
    INSERT INTO event_places (band, longitude, id, start_at, end_at, place_x, place_y, place_z)
    SELECT CAST((NEW.place_latitude + 90) * 50 AS INTEGER), NEW.place_longitude, NEW.id,
        NEW.start_at, NEW.end_at, NEW.place_x, NEW.place_y, NEW.place_z
    WHERE NEW.status = 'published' AND NEW.visibility = 'public' AND NEW.place_x IS NOT NULL
        AND NEW.place_y IS NOT NULL AND NEW.place_z IS NOT NULL;
END""",
    """CREATE TRIGGER events_places_update
AFTER UPDATE OF start_at, end_at, place_x, place_y, place_z,
    place_latitude, place_longitude, status, visibility ON events
WHEN OLD.start_at IS NOT NEW.start_at
    OR OLD.end_at IS NOT NEW.end_at
    OR OLD.place_x IS NOT NEW.place_x
    OR OLD.place_y IS NOT NEW.place_y
    OR OLD.place_z IS NOT NEW.place_z
    OR OLD.place_latitude IS NOT NEW.place_latitude
    OR OLD.place_longitude IS NOT NEW.place_longitude
    OR OLD.status IS NOT NEW.status
    OR OLD.visibility IS NOT NEW.visibility BEGIN
    DELETE FROM event_places
    WHERE band = CAST((OLD.place_latitude + 90) * 50 AS INTEGER)
    AND longitude = OLD.place_longitude AND id = OLD.id;
    INSERT INTO event_places (band, longitude, id, start_at, end_at, place_x, place_y, place_z)
    SELECT CAST((NEW.place_latitude + 90) * 50 AS INTEGER), NEW.place_longitude, NEW.id,
        NEW.start_at, NEW.end_at, NEW.place_x, NEW.place_y, NEW.place_z
    WHERE NEW.status = 'published' AND NEW.visibility = 'public' AND NEW.place_x IS NOT NULL
        AND NEW.place_y IS NOT NULL AND NEW.place_z IS NOT NULL;
END""",
    """CREATE TRIGGER events_places_delete AFTER DELETE ON events BEGIN
    DELETE FROM event_places
    WHERE band = CAST((OLD.place_latitude + 90) * 50 AS INTEGER)
    AND longitude = OLD.place_longitude AND id = OLD.id;
END""",
)
"""What is there instead: the ends beside the numbers, and the places in bands of latitude."""
_PLACES = """INSERT INTO event_places
    (band, longitude, id, start_at, end_at, place_x, place_y, place_z)
SELECT CAST((place_latitude + 90) * 50 AS INTEGER), place_longitude, id,
    start_at, end_at, place_x, place_y, place_z
FROM events
WHERE status = 'published' AND visibility = 'public' AND place_x IS NOT NULL
    AND place_y IS NOT NULL AND place_z IS NOT NULL
ORDER BY 1, 2, 3"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":  # which has its matches in the order of their start
        _renumber(OF_SQLITE, "end_at")
        op.execute(sa.text(_PLACES))
    else:
        _replace(OF_POSTGRESQL, _ADD_SPANS, _FACETS, _TERMS)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _drop_places()
        _renumber(BEFORE_OF_SQLITE)
    else:
        _replace(BEFORE, _TAKE_SPANS, _FACETS_BEFORE)
        op.execute("DROP FUNCTION spans_of")
        op.execute("DROP TABLE event_terms")


def _renumber(made: Sequence[str], *columns: str) -> None:
    """Make the numbers anew with these columns, each event with the one it has."""
    for when in ("insert", "update"):
        op.execute(f"DROP TRIGGER events_search_{when}")
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT number, event_id FROM event_numbers")
    op.execute("DROP TABLE event_numbers")
    for statement in made:
        op.execute(sa.text(statement.replace(":", r"\:")))
    op.execute(
        f"INSERT INTO event_numbers SELECT {', '.join(('number', 'event_id', *columns))} "  # noqa: S608 - constants of this file
        "FROM kept JOIN events ON id = event_id ORDER BY number"
    )
    op.execute("DROP TABLE kept")


def _drop_places() -> None:
    for name in ("ends_update", *(f"places_{when}" for when in ("insert", "update", "delete"))):
        op.execute(f"DROP TRIGGER events_{name}")
    op.execute("DROP TABLE event_places")


def _replace(made: Sequence[str], *filled: str) -> None:
    """Take away what was there of facets and triggers, make it anew, and fill it."""
    op.execute("DROP TRIGGER events_search_update ON events")
    op.execute("DROP TABLE event_facets")
    for statement in made:
        # The other triggers keep calling it.
        replaced = statement.replace("CREATE FUNCTION index", "CREATE OR REPLACE FUNCTION index")
        op.execute(sa.text(replaced.replace(":", r"\:")))
    for column in ("title", "words"):  # row by row they take many times as long
        op.execute(f"DROP INDEX ix_event_search_{column}")
    for each in filled:
        op.execute(sa.text(each.replace(":", r"\:")))
    for column in ("title", "words"):
        op.execute(
            f"CREATE INDEX ix_event_search_{column} ON event_search\n"
            f"USING gin ({column}) WITH (fastupdate = off)"
        )
    op.execute("ANALYZE event_search, event_facets, event_terms")
