"""Mail and webhooks: deliveries, who wants to hear of what, in which words, and when."""

import sqlalchemy as sa
from alembic import op

from turnout.db.base import Id, JsonDocument, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "anonymizations",
    "calendar_feeds",
    "mail_choices",
    "wordings",
    "reminders",
    "announcements",
    "webhooks",
    "delivery_attempts",
    "deliveries",
)


def upgrade() -> None:
    _number_messages()
    _deliveries()
    _delivery_attempts()
    _webhooks()
    _about_events()
    _about_people()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_outbox_messages_deleted", table_name="outbox_messages")
    op.drop_index("ix_outbox_messages_event", table_name="outbox_messages")
    op.drop_index("uq_outbox_messages_position", table_name="outbox_messages")
    with op.batch_alter_table("outbox_messages") as messages:
        messages.drop_column("reached")
        messages.drop_column("position")


def _number_messages() -> None:
    """Those that are there keep their order in the feed, and nobody is told of them any more.

    There was no mail yet when they were written: what happened months ago is no news.
    """
    with op.batch_alter_table("outbox_messages") as messages:
        messages.add_column(sa.Column("position", sa.BigInteger(), nullable=True))
        messages.add_column(sa.Column("reached", Id(), nullable=True))
    op.execute(
        "UPDATE outbox_messages SET finished_at = created_at, position = numbered.n FROM "
        "(SELECT id, row_number() OVER (ORDER BY id) AS n FROM outbox_messages) AS numbered "
        "WHERE numbered.id = outbox_messages.id"
    )
    numbered = sa.text("position IS NOT NULL")
    op.create_index(
        "uq_outbox_messages_position",
        "outbox_messages",
        ["position"],
        unique=True,
        sqlite_where=numbered,
        postgresql_where=numbered,
    )
    op.create_index(
        "ix_outbox_messages_event",
        "outbox_messages",
        ["event_id", "position"],
        sqlite_where=numbered,
        postgresql_where=numbered,
    )
    deleted = sa.text("topic = 'event.deleted' AND position IS NOT NULL")
    op.create_index(
        "ix_outbox_messages_deleted",
        "outbox_messages",
        ["position"],
        sqlite_where=deleted,
        postgresql_where=deleted,
    )


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=nullable)


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("event_id", Id(), nullable=True),
        sa.Column("recipient_id", Id(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("data", JsonDocument(), nullable=False),
        _instant("created_at"),
        _instant("due_at"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claim", Id(), nullable=True),
        _instant("finished_at", nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.CheckConstraint("channel IN ('mail', 'webhook')", name="channel"),
        sa.CheckConstraint("lane IN ('direct', 'bulk')", name="lane"),
        sa.CheckConstraint("outcome IN ('sent', 'moot', 'dead')", name="outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name="ends_with_outcome"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_messages.id"], name="fk_deliveries_message_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sqlite_with_rowid=False,
    )
    _indexes_of_deliveries()


def _indexes_of_deliveries() -> None:
    open_, dead = sa.text("finished_at IS NULL"), sa.text("outcome = 'dead'")
    op.create_index(
        "uq_deliveries_recipient", "deliveries", ["message_id", "kind", "recipient_id"], unique=True
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["channel", "lane", "due_at", "id"],
        sqlite_where=open_,
        postgresql_where=open_,
    )
    op.create_index("ix_deliveries_recipient", "deliveries", ["recipient_id", "id"])
    addressed = sa.text("address IS NOT NULL")
    op.create_index(
        "ix_deliveries_address",
        "deliveries",
        [sa.text("lower(address)")],
        sqlite_where=addressed,
        postgresql_where=addressed,
    )
    op.create_index(
        "ix_deliveries_dead", "deliveries", ["id"], sqlite_where=dead, postgresql_where=dead
    )


def _delivery_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _instant("at"),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name="fk_delivery_attempts_delivery_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_delivery_attempts"),
        sqlite_with_rowid=False,
    )


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", Id(), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("event_id", Id(), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("topics", JsonDocument(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(length=128), nullable=False),
        sa.Column("former_sealed_secret", sa.LargeBinary(length=128), nullable=True),
        _instant("former_until", nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=300), nullable=True),
        _instant("failing_since", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        _instant("updated_at"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_webhooks_owner_id"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_webhooks_event_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_owner_id", "webhooks", ["owner_id", "id"])
    op.create_index("ix_webhooks_event_id", "webhooks", ["event_id"])


def _event(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    """The column of the event that a row is about, and goes with."""
    key = sa.ForeignKeyConstraint(
        ["event_id"], ["events.id"], name=f"fk_{table}_event_id", ondelete="CASCADE"
    )
    return sa.Column("event_id", Id(), nullable=False), key


def _about_events() -> None:
    op.create_table(
        "announcements",
        *_event("announcements"),
        sa.Column("before", JsonDocument(), nullable=False),
        _instant("first_at"),
        _instant("due_at"),
        sa.PrimaryKeyConstraint("event_id", name="pk_announcements"),
    )
    op.create_index("ix_announcements_due_at", "announcements", ["due_at"])
    op.create_table(
        "reminders",
        *_event("reminders"),
        sa.Column("minutes_before", sa.Integer(), nullable=True),
        _instant("due_at", nullable=True),
        _instant("sent_for", nullable=True),
        sa.CheckConstraint(
            "minutes_before IS NULL OR minutes_before BETWEEN 5 AND 43200",
            name="minutes_before",
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_reminders"),
    )
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_reminders_due_at",
        "reminders",
        ["due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "wordings",
        *_event("wordings"),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("updated_at"),
        sa.PrimaryKeyConstraint("event_id", "kind", name="pk_wordings"),
    )


def _about_people() -> None:
    op.create_table(
        "mail_choices",
        sa.Column("email_canonical", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        _instant("updated_at"),
        sa.PrimaryKeyConstraint("email_canonical", "kind", name="pk_mail_choices"),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        _instant("created_at"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_calendar_feeds_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_calendar_feeds"),
        sa.UniqueConstraint("token_hash", name="uq_calendar_feeds_token_hash"),
    )
    op.create_table(
        "anonymizations",
        sa.Column("event_id", Id(), nullable=False),
        _instant("at"),
        sa.Column("registrations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_anonymizations"),
    )
