"""Events: their life, series, covers, places that are looked up, and an index to find them by."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from turnout.db.base import Id, JsonDocument, UtcDateTime
from turnout.events import finding

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OF_SQLITE = (
    """CREATE TABLE event_numbers (
    number INTEGER NOT NULL,
    event_id BLOB NOT NULL,
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
    """CREATE VIRTUAL TABLE event_search USING fts5(
    title, words, facets, content='event_search_rows', content_rowid='number',
    tokenize="ascii tokenchars '=_'", prefix='2 3', detail='column', columnsize=0
)""",
    """CREATE TRIGGER events_search_insert AFTER INSERT ON events
WHEN NEW.status = 'published' AND NEW.visibility = 'public' BEGIN
    INSERT INTO event_numbers (number, event_id)
    SELECT coalesce(max(number) + 1, CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824), NEW.id
    FROM event_numbers
    WHERE number >= CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824
    AND number < CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824 + 1073741824;
    INSERT INTO event_search (rowid, title, words, facets)
    SELECT number, NEW.title_words, NEW.words, NEW.facets FROM event_numbers
    WHERE event_id = NEW.id;
    INSERT OR IGNORE INTO event_terms (term)
    SELECT value FROM json_each(
        '["' || replace(NEW.title_words || ' ' || NEW.words, ' ', '","') || '"]')
    WHERE value <> '' AND NEW.status = 'published' AND NEW.visibility = 'public';
END""",
    """CREATE TRIGGER events_search_update
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
    INSERT INTO event_numbers (number, event_id)
    SELECT * FROM (
    SELECT coalesce(max(number) + 1, CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824), NEW.id
    FROM event_numbers
    WHERE number >= CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824
    AND number < CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824 + 1073741824)
    WHERE NEW.status = 'published' AND NEW.visibility = 'public';
    INSERT INTO event_search (rowid, title, words, facets)
    SELECT number, NEW.title_words, NEW.words, NEW.facets FROM event_numbers
    WHERE event_id = NEW.id;
    INSERT OR IGNORE INTO event_terms (term)
    SELECT value FROM json_each(
        '["' || replace(NEW.title_words || ' ' || NEW.words, ' ', '","') || '"]')
    WHERE value <> '' AND NEW.status = 'published' AND NEW.visibility = 'public';
END""",
    """CREATE TRIGGER events_search_delete AFTER DELETE ON events BEGIN
    INSERT INTO event_search (event_search, rowid, title, words, facets)
    SELECT 'delete', number, OLD.title_words, OLD.words, OLD.facets FROM event_numbers
    WHERE event_id = OLD.id;
    DELETE FROM event_numbers WHERE event_id = OLD.id;
END""",
)
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
    CONSTRAINT pk_event_facets PRIMARY KEY (facet, start_at, event_id)
)""",
    """CREATE INDEX ix_event_search_start_at ON event_search (start_at, event_id)""",
    """CREATE INDEX ix_event_search_long
    ON event_search (lasting, start_at, event_id) WHERE lasting > 0""",
    """CREATE INDEX ix_event_search_title ON event_search
    USING gin (title) WITH (fastupdate = off)""",
    """CREATE INDEX ix_event_search_words ON event_search
    USING gin (words) WITH (fastupdate = off)""",
    """CREATE FUNCTION lexemes_of(words text, facets text) RETURNS tsvector
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_tsvector(
        array_remove(string_to_array(concat_ws(' ', words, facets), ' '), '')
        || ARRAY(
            SELECT '=p' || left(word, letters)
            FROM unnest(string_to_array(words, ' ')) AS word,
                generate_series(2, 3) AS letters
            WHERE length(word) >= letters))
$$""",
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
    """CREATE TRIGGER events_search_insert AFTER INSERT ON events
FOR EACH ROW WHEN (NEW.status = 'published' AND NEW.visibility = 'public')
EXECUTE FUNCTION index_event()""",
    """CREATE TRIGGER events_search_update AFTER UPDATE ON events
FOR EACH ROW WHEN (OLD.start_at IS DISTINCT FROM NEW.start_at
    OR OLD.status IS DISTINCT FROM NEW.status
    OR OLD.visibility IS DISTINCT FROM NEW.visibility
    OR OLD.title_words IS DISTINCT FROM NEW.title_words
    OR OLD.words IS DISTINCT FROM NEW.words
    OR OLD.facets IS DISTINCT FROM NEW.facets
    OR OLD.end_at IS DISTINCT FROM NEW.end_at)
EXECUTE FUNCTION index_event()""",
    """CREATE TRIGGER events_search_delete AFTER DELETE ON events
FOR EACH ROW EXECUTE FUNCTION index_event()""",
)

FILLED: dict[str, Any] = {
    "sequence": sa.Integer(),
    "place_lookups": sa.Integer(),
    "lasting": sa.Integer(),
    "title_words": sa.Text(),
    "words": sa.Text(),
    "facets": sa.Text(),
}
"""Columns that every event has a value in: they are filled before they say so."""
ADDED: dict[str, Any] = {
    "cancelled_at": UtcDateTime(timezone=True),
    "cancel_reason": sa.String(length=1000),
    "cover": JsonDocument(),
    "series_id": Id(),
    "series_local": sa.DateTime(),
    "place_source": sa.String(length=16),
    "place_lookup_at": UtcDateTime(timezone=True),
    "suggested_timezone": sa.String(length=64),
    "place_x": sa.Double(),
    "place_y": sa.Double(),
    "place_z": sa.Double(),
}


def upgrade() -> None:
    _geocodings()
    _series()
    _grow_events()
    _covers()
    op.create_index(
        "ix_events_place_lookup",
        "events",
        ["place_lookup_at"],
        sqlite_where=sa.text("place_lookup_at IS NOT NULL"),
        postgresql_where=sa.text("place_lookup_at IS NOT NULL"),
    )
    op.create_index(
        "ix_events_long",
        "events",
        ["lasting", "start_at", "id", "end_at"],
        sqlite_where=sa.text("lasting > 0 AND status = 'published' AND visibility = 'public'"),
        postgresql_where=sa.text("lasting > 0 AND status = 'published' AND visibility = 'public'"),
    )
    op.create_index("ix_events_series", "events", ["series_id", "start_at", "id"])
    _make_index()
    # By which tz database the instants were found that are there is not known: by an older one.
    op.execute(
        "INSERT INTO facts (name, value) SELECT 'tzdata', '0' WHERE EXISTS (SELECT 1 FROM events)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM facts WHERE name = 'tzdata'")
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER events_search_{verb}")
        op.execute("DROP TABLE event_search")
        op.execute("DROP VIEW event_search_rows")
        op.execute("DROP TABLE event_numbers")
        op.execute("DROP TABLE event_terms")
    else:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER events_search_{verb} ON events")
        op.execute("DROP FUNCTION index_event")
        op.execute("DROP FUNCTION lexemes_of")
        op.execute("DROP TABLE event_facets")
        op.execute("DROP TABLE event_search")
    op.drop_index("ix_events_long", table_name="events")
    op.drop_index("ix_events_series", table_name="events")
    op.drop_index("ix_events_place_lookup", table_name="events")
    op.drop_table("covers")
    with op.batch_alter_table("events") as events:
        events.drop_constraint(op.f("ck_events_place_source"), type_="check")
        events.drop_constraint(op.f("ck_events_cancelled_once"), type_="check")
        events.drop_constraint(op.f("fk_events_series_id"), type_="foreignkey")
        for column in (*FILLED, *ADDED):
            events.drop_column(column)
    op.drop_table("series")
    op.drop_table("geocodings")


def _geocodings() -> None:
    op.create_table(
        "geocodings",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("query", sa.String(length=400), nullable=False),
        sa.Column("candidates", JsonDocument(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "query", name=op.f("pk_geocodings")),
    )
    op.create_index(op.f("ix_geocodings_expires_at"), "geocodings", ["expires_at"], unique=False)


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organizer_id", Id(), nullable=False),
        sa.Column("rule", sa.String(length=500), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("start_local", sa.DateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["users.id"], name=op.f("fk_series_organizer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index(
        op.f("ix_series_organizer_id_id"), "series", ["organizer_id", "id"], unique=False
    )


def _grow_events() -> None:
    with op.batch_alter_table("events") as events:
        for name, kind in (*FILLED.items(), *ADDED.items()):
            events.add_column(sa.Column(name, kind, nullable=True))
    _fill()
    with op.batch_alter_table("events") as events:
        for name, kind in FILLED.items():
            events.alter_column(name, existing_type=kind, nullable=False)
        events.create_check_constraint(
            op.f("ck_events_place_source"), "place_source IN ('organizer', 'geocoder')"
        )
        events.create_check_constraint(
            op.f("ck_events_cancelled_once"),
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)",
        )
        events.create_foreign_key(op.f("fk_events_series_id"), "series", ["series_id"], ["id"])


_PLAIN_SOURCES = [
    name for name in finding.SOURCES if name not in {"tags", "organizer_id", "start_at", "end_at"}
]


def _fill() -> None:
    """By the rules of today: `turnout data reindex` does it again when they change."""
    events = sa.table(
        "events",
        *(sa.column("id", Id()), sa.column("tags", JsonDocument())),
        *(sa.column("organizer_id", Id()), sa.column("updated_at", UtcDateTime())),
        *(sa.column(name, UtcDateTime()) for name in ("start_at", "end_at")),
        *(sa.column(name) for name in (*_PLAIN_SOURCES, "status")),
        *(sa.column(name, kind) for name, kind in (*FILLED.items(), *ADDED.items())),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(events)).all():
        placed = None if row.place_latitude is None else "organizer"
        cancelled = row.updated_at if row.status == "cancelled" else None
        values = {
            **finding.columns_of(row),
            "sequence": 0,
            "place_lookups": 0,
            "place_source": placed,
            "cancelled_at": cancelled,
        }
        connection.execute(sa.update(events).where(events.c.id == row.id).values(**values))


def _covers() -> None:
    op.create_table(
        "covers",
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_covers_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_covers")),
    )


def _make_index() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in OF_SQLITE if is_sqlite else OF_POSTGRESQL:
        op.execute(sa.text(statement.replace(":", r"\:")))
    # What is there already is indexed as if it had just come: the triggers look at the words.
    op.execute(sa.text("UPDATE events SET facets = facets || ' '"))
    op.execute(sa.text("UPDATE events SET facets = rtrim(facets)"))
