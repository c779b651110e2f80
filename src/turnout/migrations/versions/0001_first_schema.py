"""The first schema: accounts, events with slots, seats, messages, audit, kept answers."""

import sqlalchemy as sa
from alembic import op

from turnout.db.base import Id, JsonDocument, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LOCK_SEATS = """CREATE FUNCTION lock_seats(events uuid[], people text[], wait boolean)
RETURNS TABLE (
    event_id uuid, is_locked boolean, capacity integer, taken integer, waiting integer,
    waitlist_enabled boolean, opens_at timestamptz, closes_at timestamptz, end_at timestamptz,
    status varchar, visibility varchar, organizer_id uuid, timezone varchar, present text[]
)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
-- Its plans are made while the tables are empty and kept while they grow: with a scan that was
-- right for ten rows, the first hundred thousand registrations take five times as long.
DECLARE
    wanted uuid[] := ARRAY (SELECT DISTINCT u FROM unnest(events) AS u);
    locked uuid[];
BEGIN
    -- Every process locks in the same order, so that none waits in a circle.
    IF wait THEN
        SELECT array_agg(l.event_id) INTO locked FROM (
            SELECT a.event_id FROM admissions a WHERE a.event_id = ANY (wanted)
            ORDER BY a.event_id FOR UPDATE) l;
    ELSE
        SELECT array_agg(l.event_id) INTO locked FROM (
            SELECT a.event_id FROM admissions a WHERE a.event_id = ANY (wanted)
            ORDER BY a.event_id FOR UPDATE SKIP LOCKED) l;
    END IF;
    RETURN QUERY
        -- LIMIT keeps each person one probe of the unique index, whatever the planner believes.
        WITH found AS MATERIALIZED (
            SELECT w.event_id, w.person FROM unnest(events, people) AS w(event_id, person)
            CROSS JOIN LATERAL (
                SELECT 1 FROM registrations r WHERE r.event_id = w.event_id
                AND r.email_canonical = w.person AND r.status <> 'cancelled' LIMIT 1) AS one)
        SELECT a.event_id, a.event_id = ANY (coalesce(locked, '{}')), a.capacity, a.taken,
            a.waiting, a.waitlist_enabled, a.opens_at, a.closes_at, e.end_at, e.status,
            e.visibility, e.organizer_id, e.timezone,
            ARRAY (SELECT f.person FROM found f WHERE f.event_id = a.event_id)
        FROM admissions a JOIN events e ON e.id = a.event_id
        WHERE a.event_id = ANY (wanted);
END
$$"""


def upgrade() -> None:
    _facts()
    _users()
    _events()
    _slots()
    _admissions()
    _registrations()
    _outbox_messages()
    _audit_entries()
    _idempotency_keys()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(LOCK_SEATS)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION lock_seats")
    for table in (
        "idempotency_keys",
        "audit_entries",
        "outbox_messages",
        "registrations",
        "admissions",
        "slots",
        "events",
        "users",
        "facts",
    ):
        op.drop_table(table)


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", Id(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'organizer', 'attendee')", name=op.f("ck_users_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_canonical", name=op.f("uq_users_email_canonical")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", Id(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("organizer_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("location", sa.String(length=300), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("start_local", sa.DateTime(), nullable=False),
        sa.Column("start_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("end_local", sa.DateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        *_place_columns(),
        sa.Column("online_url", sa.String(length=2000), nullable=True),
        sa.Column("tags", JsonDocument(), nullable=False),
        sa.Column("import_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'cancelled')", name=op.f("ck_events_status")
        ),
        sa.CheckConstraint(
            "visibility IN ('public', 'unlisted', 'private')", name=op.f("ck_events_visibility")
        ),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_events_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["users.id"], name=op.f("fk_events_organizer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("import_key", name=op.f("uq_events_import_key")),
        sa.UniqueConstraint("slug", name=op.f("uq_events_slug")),
    )
    _event_indexes()


def _event_indexes() -> None:
    op.create_index(
        "ix_events_listed",
        "events",
        ["start_at", "id", "end_at"],
        unique=False,
        sqlite_where=sa.text("status = 'published' AND visibility = 'public'"),
        postgresql_where=sa.text("status = 'published' AND visibility = 'public'"),
    )
    op.create_index(
        "ix_events_organizer", "events", ["organizer_id", "start_at", "id"], unique=False
    )


def _place_columns() -> list[sa.Column[str] | sa.Column[float]]:
    return [
        sa.Column("place_name", sa.String(length=200), nullable=True),
        sa.Column("place_address", sa.String(length=300), nullable=True),
        sa.Column("place_city", sa.String(length=120), nullable=True),
        sa.Column("place_country", sa.String(length=120), nullable=True),
        sa.Column("place_country_code", sa.String(length=2), nullable=True),
        sa.Column("place_latitude", sa.Double(), nullable=True),
        sa.Column("place_longitude", sa.Double(), nullable=True),
    ]


def _slots() -> None:
    op.create_table(
        "slots",
        sa.Column("id", Id(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("room", sa.String(length=120), nullable=True),
        sa.Column("speaker", sa.String(length=200), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("start_local", sa.DateTime(), nullable=False),
        sa.Column("start_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("end_local", sa.DateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_slots_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_slots_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
    )
    op.create_index("ix_slots_agenda", "slots", ["event_id", "start_at", "id"], unique=False)


def _admissions() -> None:
    op.create_table(
        "admissions",
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("waitlist_enabled", sa.Boolean(), nullable=False),
        sa.Column("opens_local", sa.DateTime(), nullable=True),
        sa.Column("opens_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("closes_local", sa.DateTime(), nullable=True),
        sa.Column("closes_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "capacity IS NULL OR capacity >= 1", name=op.f("ck_admissions_capacity")
        ),
        sa.CheckConstraint(
            "taken >= 0 AND (capacity IS NULL OR taken <= capacity)",
            name=op.f("ck_admissions_never_oversold"),
        ),
        sa.CheckConstraint("waiting >= 0", name=op.f("ck_admissions_waiting")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_admissions_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_admissions")),
    )


def _registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("account_id", Id(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("waitlist_position", sa.Integer(), nullable=True),
        sa.Column("held_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("manage_token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("answers", JsonDocument(), nullable=False),
        sa.Column("checked_in_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'waitlisted') = (waitlist_position IS NOT NULL)",
            name=op.f("ck_registrations_position_waits"),
        ),
        sa.CheckConstraint(
            "status IN ('confirmed', 'waitlisted', 'offered', 'pending', 'cancelled')",
            name=op.f("ck_registrations_status"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["users.id"], name=op.f("fk_registrations_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["admissions.event_id"], name=op.f("fk_registrations_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", "id", name=op.f("pk_registrations")),
        sqlite_with_rowid=False,
    )
    _registration_indexes()


def _registration_indexes() -> None:
    op.create_index(
        "ix_registrations_account",
        "registrations",
        ["account_id", "id"],
        unique=False,
        sqlite_where=sa.text("account_id IS NOT NULL"),
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
    op.create_index("ix_registrations_id", "registrations", ["id"], unique=False)
    op.create_index(
        "uq_registrations_person",
        "registrations",
        ["event_id", "email_canonical"],
        unique=True,
        sqlite_where=sa.text("status <> 'cancelled'"),
        postgresql_where=sa.text("status <> 'cancelled'"),
    )


def _outbox_messages() -> None:
    op.create_table(
        "outbox_messages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("event_id", Id(), nullable=True),
        sa.Column("subject_id", Id(), nullable=True),
        sa.Column("payload", JsonDocument(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbox_messages_due",
        "outbox_messages",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("event_id", Id(), nullable=True),
        sa.Column("subject_id", Id(), nullable=True),
        sa.Column("changes", JsonDocument(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_audit_entries_event_id_id"), "audit_entries", ["event_id", "id"], unique=False
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_answer", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], unique=False
    )
