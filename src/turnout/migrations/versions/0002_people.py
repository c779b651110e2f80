"""People: passwords, sign-ins, tokens, links, second factors, teams, and an audit that stays."""

import sqlalchemy as sa
from alembic import op

from turnout.db.base import Id, JsonDocument, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GUARD_OF_SQLITE = (
    """CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END""",
    """CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END""",
)
GUARD_OF_POSTGRESQL = (
    """CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entries is append-only';
END
$$""",
    """CREATE TRIGGER audit_entries_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()""",
)


def upgrade() -> None:
    _grow_users()
    _sign_ins()
    _refresh_tokens()
    _api_tokens()
    _links()
    _recovery_codes()
    _openid_identities()
    _team_members()
    _indexes()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in GUARD_OF_SQLITE if is_sqlite else GUARD_OF_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entries_no_delete")
        op.execute("DROP TRIGGER audit_entries_no_update")
    else:
        op.execute("DROP TRIGGER audit_entries_append_only ON audit_entries")
        op.execute("DROP FUNCTION refuse_change_of_audit")
    op.drop_index("ix_audit_entries_action", table_name="audit_entries")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")
    op.drop_index("ix_audit_entries_actor", table_name="audit_entries")
    op.drop_index("ix_registrations_waiting", table_name="registrations")
    op.drop_index("ix_registrations_person", table_name="registrations")
    op.drop_index("ix_users_is_active", table_name="users")
    op.drop_index("ix_users_role", table_name="users")
    for table in (
        "team_members",
        "openid_identities",
        "recovery_codes",
        "links",
        "api_tokens",
        "refresh_tokens",
        "sign_ins",
    ):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        for column in (
            "email_verified_at",
            "search_text",
            "locale",
            "password_hash",
            "totp_sealed_secret",
            "totp_confirmed_at",
            "totp_last_step",
            "erased_at",
        ):
            users.drop_column(column)


def _grow_users() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("email_verified_at", UtcDateTime(timezone=True), nullable=True))
        users.add_column(sa.Column("search_text", sa.String(length=600), nullable=True))
        users.add_column(sa.Column("locale", sa.String(length=35), nullable=True))
        users.add_column(sa.Column("password_hash", sa.String(length=255), nullable=True))
        users.add_column(sa.Column("totp_sealed_secret", sa.LargeBinary(length=128), nullable=True))
        users.add_column(sa.Column("totp_confirmed_at", UtcDateTime(timezone=True), nullable=True))
        users.add_column(sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
        users.add_column(sa.Column("erased_at", UtcDateTime(timezone=True), nullable=True))
    _fill_search_text()
    with op.batch_alter_table("users") as users:
        users.alter_column("search_text", existing_type=sa.String(length=600), nullable=False)


def _fill_search_text() -> None:
    """In Python: the databases disagree about the case of letters beyond ASCII."""
    users = sa.table("users", *(sa.column(name) for name in ("id", "name", "email", "search_text")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(users.c.id, users.c.name, users.c.email)).all():
        text = f"{row.name} {row.email}".casefold()
        found = sa.update(users).where(users.c.id == row.id)
        connection.execute(found.values(search_text=text[:600]))


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cookie_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('tokens', 'page')", name=op.f("ck_sign_ins_kind")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_sign_ins_cookie_hash")),
    )
    op.create_index(op.f("ix_sign_ins_user_id_id"), "sign_ins", ["user_id", "id"], unique=False)


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sign_in_id", Id(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_ins.id"], name=op.f("fk_refresh_tokens_sign_in_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(
        op.f("ix_refresh_tokens_sign_in_id"), "refresh_tokens", ["sign_in_id"], unique=False
    )


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", JsonDocument(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id_id"), "api_tokens", ["user_id", "id"], unique=False)


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify-email', 'change-email', 'reset-password', 'invitation', 'set-up')",
            name=op.f("ck_links_purpose"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_links_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_user_id"), "links", ["user_id"], unique=False)


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )


def _openid_identities() -> None:
    op.create_table(
        "openid_identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_openid_identities_user_id")
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_openid_identities")),
    )
    op.create_index(
        op.f("ix_openid_identities_user_id"), "openid_identities", ["user_id"], unique=False
    )


def _team_members() -> None:
    op.create_table(
        "team_members",
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('editor', 'door')", name=op.f("ck_team_members_role")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_team_members_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id")),
        sa.PrimaryKeyConstraint("event_id", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index(
        op.f("ix_team_members_user_id_event_id"),
        "team_members",
        ["user_id", "event_id"],
        unique=False,
    )


def _indexes() -> None:
    for column in ("role", "is_active"):
        op.create_index(
            f"ix_users_{column}",
            "users",
            [column, "email_canonical"],
            sqlite_where=sa.text("erased_at IS NULL"),
            postgresql_where=sa.text("erased_at IS NULL"),
        )
    op.create_index("ix_registrations_person", "registrations", ["email_canonical", "id"])
    op.create_index(
        "ix_registrations_waiting",
        "registrations",
        ["event_id", "waitlist_position"],
        sqlite_where=sa.text("waitlist_position IS NOT NULL"),
        postgresql_where=sa.text("waitlist_position IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_entries_actor",
        "audit_entries",
        ["actor_id", "id"],
        sqlite_where=sa.text("actor_id IS NOT NULL"),
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_entries_subject",
        "audit_entries",
        ["subject_id", "id"],
        sqlite_where=sa.text("event_id IS NULL"),
        postgresql_where=sa.text("event_id IS NULL"),
    )
    op.create_index(
        "ix_audit_entries_action",
        "audit_entries",
        ["action", "id"],
        sqlite_where=sa.text("action <> 'registration.created'"),
        postgresql_where=sa.text("action <> 'registration.created'"),
    )
