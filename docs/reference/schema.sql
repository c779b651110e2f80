-- Written by scripts/generate_docs.py, from the models that the migrations lead to.

-- ---- SQLite: what `turnout schema sql` prints there ----

CREATE TABLE anonymizations (
    event_id BLOB NOT NULL,
    at DATETIME NOT NULL,
    registrations INTEGER NOT NULL,
    CONSTRAINT pk_anonymizations PRIMARY KEY (event_id)
);

CREATE TABLE audit_entries (
    id BLOB NOT NULL,
    at DATETIME NOT NULL,
    standing VARCHAR(16) NOT NULL,
    actor_id BLOB,
    request_id VARCHAR(64),
    action VARCHAR(64) NOT NULL,
    event_id BLOB,
    subject_id BLOB,
    changes JSON,
    CONSTRAINT pk_audit_entries PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_audit_entries_action ON audit_entries (action, id) WHERE action <> 'registration.created';

CREATE INDEX ix_audit_entries_actor ON audit_entries (actor_id, id) WHERE actor_id IS NOT NULL;

CREATE INDEX ix_audit_entries_event_id_id ON audit_entries (event_id, id);

CREATE INDEX ix_audit_entries_subject ON audit_entries (subject_id, id) WHERE event_id IS NULL;

CREATE TABLE facts (
    name VARCHAR(64) NOT NULL,
    value VARCHAR(200) NOT NULL,
    CONSTRAINT pk_facts PRIMARY KEY (name)
);

CREATE TABLE geocodings (
    provider VARCHAR(32) NOT NULL,
    "query" VARCHAR(400) NOT NULL,
    candidates JSON NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_geocodings PRIMARY KEY (provider, "query")
);

CREATE INDEX ix_geocodings_expires_at ON geocodings (expires_at);

CREATE TABLE idempotency_keys (
    key_hash BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    sealed_answer BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (key_hash)
);

CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE mail_choices (
    email_canonical VARCHAR(320) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    is_wanted BOOLEAN NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_mail_choices PRIMARY KEY (email_canonical, kind)
);

CREATE TABLE outbox_messages (
    id BLOB NOT NULL,
    topic VARCHAR(64) NOT NULL,
    event_id BLOB,
    subject_id BLOB,
    payload JSON NOT NULL,
    created_at DATETIME NOT NULL,
    due_at DATETIME NOT NULL,
    finished_at DATETIME,
    position BIGINT,
    reached BLOB,
    CONSTRAINT pk_outbox_messages PRIMARY KEY (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_outbox_messages_deleted ON outbox_messages (position) WHERE topic = 'event.deleted' AND position IS NOT NULL;

CREATE INDEX ix_outbox_messages_due ON outbox_messages (due_at, id) WHERE finished_at IS NULL;

CREATE INDEX ix_outbox_messages_event ON outbox_messages (event_id, position) WHERE position IS NOT NULL;

CREATE UNIQUE INDEX uq_outbox_messages_position ON outbox_messages (position) WHERE position IS NOT NULL;

CREATE TABLE users (
    id BLOB NOT NULL,
    email VARCHAR(254) NOT NULL,
    email_canonical VARCHAR(320) NOT NULL,
    email_verified_at DATETIME,
    name VARCHAR(200) NOT NULL,
    search_text VARCHAR(600) NOT NULL,
    role VARCHAR(16) NOT NULL,
    timezone VARCHAR(64),
    locale VARCHAR(35),
    is_active BOOLEAN NOT NULL,
    password_hash VARCHAR(255),
    totp_sealed_secret BLOB,
    totp_confirmed_at DATETIME,
    totp_last_step BIGINT,
    erased_at DATETIME,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_role CHECK (role IN ('admin', 'organizer', 'attendee')),
    CONSTRAINT uq_users_email_canonical UNIQUE (email_canonical)
);

CREATE INDEX ix_users_is_active ON users (is_active, email_canonical) WHERE erased_at IS NULL;

CREATE INDEX ix_users_role ON users (role, email_canonical) WHERE erased_at IS NULL;

CREATE TABLE api_tokens (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    name VARCHAR(100) NOT NULL,
    token_hash BLOB NOT NULL,
    scopes JSON NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME,
    revoked_at DATETIME,
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_api_tokens_user_id_id ON api_tokens (user_id, id);

CREATE TABLE calendar_feeds (
    user_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_calendar_feeds PRIMARY KEY (user_id),
    CONSTRAINT fk_calendar_feeds_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_calendar_feeds_token_hash UNIQUE (token_hash)
);

CREATE TABLE deliveries (
    id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    channel VARCHAR(8) NOT NULL,
    lane VARCHAR(8) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    event_id BLOB,
    recipient_id BLOB NOT NULL,
    address VARCHAR(254),
    name VARCHAR(200),
    data JSON NOT NULL,
    created_at DATETIME NOT NULL,
    due_at DATETIME NOT NULL,
    tries INTEGER NOT NULL,
    claim BLOB,
    finished_at DATETIME,
    outcome VARCHAR(8),
    last_error VARCHAR(300),
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT ck_deliveries_channel CHECK (channel IN ('mail', 'webhook')),
    CONSTRAINT ck_deliveries_lane CHECK (lane IN ('direct', 'bulk')),
    CONSTRAINT ck_deliveries_outcome CHECK (outcome IN ('sent', 'moot', 'dead')),
    CONSTRAINT ck_deliveries_ends_with_outcome CHECK ((outcome IS NULL) = (finished_at IS NULL)),
    CONSTRAINT fk_deliveries_message_id FOREIGN KEY(message_id) REFERENCES outbox_messages (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_deliveries_address ON deliveries (lower(address)) WHERE address IS NOT NULL;

CREATE INDEX ix_deliveries_dead ON deliveries (id) WHERE outcome = 'dead';

CREATE INDEX ix_deliveries_due ON deliveries (channel, lane, due_at, id) WHERE finished_at IS NULL;

CREATE INDEX ix_deliveries_recipient ON deliveries (recipient_id, id);

CREATE UNIQUE INDEX uq_deliveries_recipient ON deliveries (message_id, kind, recipient_id);

CREATE TABLE links (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    email VARCHAR(254) NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    used_at DATETIME,
    CONSTRAINT pk_links PRIMARY KEY (id),
    CONSTRAINT ck_links_purpose CHECK (purpose IN ('verify-email', 'change-email', 'reset-password', 'invitation', 'set-up')),
    CONSTRAINT fk_links_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_links_user_id ON links (user_id);

CREATE TABLE openid_identities (
    issuer VARCHAR(300) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    user_id BLOB NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_openid_identities PRIMARY KEY (issuer, subject),
    CONSTRAINT fk_openid_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_openid_identities_user_id ON openid_identities (user_id);

CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    used_at DATETIME,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash),
    CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE series (
    id BLOB NOT NULL,
    organizer_id BLOB NOT NULL,
    rule VARCHAR(500) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    start_local DATETIME NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_series PRIMARY KEY (id),
    CONSTRAINT fk_series_organizer_id FOREIGN KEY(organizer_id) REFERENCES users (id)
);

CREATE INDEX ix_series_organizer_id_id ON series (organizer_id, id);

CREATE TABLE sign_ins (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind VARCHAR(16) NOT NULL,
    cookie_hash BLOB,
    client VARCHAR(200) NOT NULL,
    address VARCHAR(45),
    created_at DATETIME NOT NULL,
    last_used_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    ended_at DATETIME,
    CONSTRAINT pk_sign_ins PRIMARY KEY (id),
    CONSTRAINT ck_sign_ins_kind CHECK (kind IN ('tokens', 'page')),
    CONSTRAINT fk_sign_ins_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_sign_ins_cookie_hash UNIQUE (cookie_hash)
);

CREATE INDEX ix_sign_ins_user_id_id ON sign_ins (user_id, id);

CREATE TABLE delivery_attempts (
    delivery_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    at DATETIME NOT NULL,
    milliseconds INTEGER NOT NULL,
    status INTEGER,
    error VARCHAR(300),
    CONSTRAINT pk_delivery_attempts PRIMARY KEY (delivery_id, number),
    CONSTRAINT fk_delivery_attempts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE events (
    id BLOB NOT NULL,
    slug VARCHAR(80) NOT NULL,
    organizer_id BLOB NOT NULL,
    name VARCHAR(200) NOT NULL,
    description TEXT NOT NULL,
    location VARCHAR(300) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    start_local DATETIME NOT NULL,
    start_at DATETIME NOT NULL,
    end_local DATETIME NOT NULL,
    end_at DATETIME NOT NULL,
    status VARCHAR(16) NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    place_name VARCHAR(200),
    place_address VARCHAR(300),
    place_city VARCHAR(120),
    place_country VARCHAR(120),
    place_country_code VARCHAR(2),
    place_latitude DOUBLE,
    place_longitude DOUBLE,
    online_url VARCHAR(2000),
    tags JSON NOT NULL,
    import_key VARCHAR(64),
    version INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    sequence INTEGER NOT NULL,
    cancelled_at DATETIME,
    cancel_reason VARCHAR(1000),
    cover JSON,
    series_id BLOB,
    series_local DATETIME,
    place_source VARCHAR(16),
    place_lookup_at DATETIME,
    place_lookups INTEGER NOT NULL,
    suggested_timezone VARCHAR(64),
    place_x DOUBLE,
    place_y DOUBLE,
    place_z DOUBLE,
    lasting INTEGER NOT NULL,
    title_words TEXT NOT NULL,
    words TEXT NOT NULL,
    facets TEXT NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id),
    CONSTRAINT ck_events_status CHECK (status IN ('draft', 'published', 'cancelled')),
    CONSTRAINT ck_events_visibility CHECK (visibility IN ('public', 'unlisted', 'private')),
    CONSTRAINT ck_events_place_source CHECK (place_source IN ('organizer', 'geocoder')),
    CONSTRAINT ck_events_ends_after_start CHECK (end_at > start_at),
    CONSTRAINT ck_events_cancelled_once CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT uq_events_slug UNIQUE (slug),
    CONSTRAINT fk_events_organizer_id FOREIGN KEY(organizer_id) REFERENCES users (id),
    CONSTRAINT uq_events_import_key UNIQUE (import_key),
    CONSTRAINT fk_events_series_id FOREIGN KEY(series_id) REFERENCES series (id)
);

CREATE INDEX ix_events_listed ON events (start_at, id, end_at) WHERE status = 'published' AND visibility = 'public';

CREATE INDEX ix_events_long ON events (lasting, start_at, id, end_at) WHERE lasting > 0 AND status = 'published' AND visibility = 'public';

CREATE INDEX ix_events_organizer ON events (organizer_id, start_at, id);

CREATE INDEX ix_events_place_lookup ON events (place_lookup_at) WHERE place_lookup_at IS NOT NULL;

CREATE INDEX ix_events_series ON events (series_id, start_at, id);

CREATE TABLE refresh_tokens (
    token_hash BLOB NOT NULL,
    sign_in_id BLOB NOT NULL,
    created_at DATETIME NOT NULL,
    used_at DATETIME,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_sign_in_id FOREIGN KEY(sign_in_id) REFERENCES sign_ins (id)
);

CREATE INDEX ix_refresh_tokens_sign_in_id ON refresh_tokens (sign_in_id);

CREATE TABLE admissions (
    event_id BLOB NOT NULL,
    capacity INTEGER,
    taken INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    waitlist_enabled BOOLEAN NOT NULL,
    opens_local DATETIME,
    opens_at DATETIME,
    closes_local DATETIME,
    closes_at DATETIME,
    CONSTRAINT pk_admissions PRIMARY KEY (event_id),
    CONSTRAINT ck_admissions_capacity CHECK (capacity IS NULL OR capacity >= 1),
    CONSTRAINT ck_admissions_never_oversold CHECK (taken >= 0 AND (capacity IS NULL OR taken <= capacity)),
    CONSTRAINT ck_admissions_waiting CHECK (waiting >= 0),
    CONSTRAINT fk_admissions_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE announcements (
    event_id BLOB NOT NULL,
    "before" JSON NOT NULL,
    first_at DATETIME NOT NULL,
    due_at DATETIME NOT NULL,
    CONSTRAINT pk_announcements PRIMARY KEY (event_id),
    CONSTRAINT fk_announcements_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_announcements_due_at ON announcements (due_at);

CREATE TABLE covers (
    event_id BLOB NOT NULL,
    media_type VARCHAR(32) NOT NULL,
    content BLOB NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_covers PRIMARY KEY (event_id),
    CONSTRAINT fk_covers_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE reminders (
    event_id BLOB NOT NULL,
    minutes_before INTEGER,
    due_at DATETIME,
    sent_for DATETIME,
    CONSTRAINT pk_reminders PRIMARY KEY (event_id),
    CONSTRAINT ck_reminders_minutes_before CHECK (minutes_before IS NULL OR minutes_before BETWEEN 5 AND 43200),
    CONSTRAINT fk_reminders_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_reminders_due_at ON reminders (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE slots (
    id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    title VARCHAR(200) NOT NULL,
    room VARCHAR(120),
    speaker VARCHAR(200),
    description TEXT,
    start_local DATETIME NOT NULL,
    start_at DATETIME NOT NULL,
    end_local DATETIME NOT NULL,
    end_at DATETIME NOT NULL,
    CONSTRAINT pk_slots PRIMARY KEY (id),
    CONSTRAINT ck_slots_ends_after_start CHECK (end_at > start_at),
    CONSTRAINT fk_slots_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_slots_agenda ON slots (event_id, start_at, id);

CREATE TABLE team_members (
    event_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_team_members PRIMARY KEY (event_id, user_id),
    CONSTRAINT ck_team_members_role CHECK (role IN ('editor', 'door')),
    CONSTRAINT fk_team_members_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE,
    CONSTRAINT fk_team_members_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_team_members_user_id_event_id ON team_members (user_id, event_id);

CREATE TABLE webhooks (
    id BLOB NOT NULL,
    owner_id BLOB NOT NULL,
    event_id BLOB,
    url VARCHAR(2000) NOT NULL,
    description VARCHAR(200) NOT NULL,
    topics JSON NOT NULL,
    sealed_secret BLOB NOT NULL,
    former_sealed_secret BLOB,
    former_until DATETIME,
    is_active BOOLEAN NOT NULL,
    disabled_reason VARCHAR(300),
    failing_since DATETIME,
    version INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_webhooks PRIMARY KEY (id),
    CONSTRAINT fk_webhooks_owner_id FOREIGN KEY(owner_id) REFERENCES users (id),
    CONSTRAINT fk_webhooks_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_webhooks_event_id ON webhooks (event_id);

CREATE INDEX ix_webhooks_owner_id ON webhooks (owner_id, id);

CREATE TABLE wordings (
    event_id BLOB NOT NULL,
    kind VARCHAR(64) NOT NULL,
    subject VARCHAR(200) NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_wordings PRIMARY KEY (event_id, kind),
    CONSTRAINT fk_wordings_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE registrations (
    event_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name VARCHAR(200) NOT NULL,
    email VARCHAR(254) NOT NULL,
    email_canonical VARCHAR(320) NOT NULL,
    account_id BLOB,
    status VARCHAR(16) NOT NULL,
    waitlist_position INTEGER,
    held_until DATETIME,
    manage_token_hash BLOB,
    answers JSON NOT NULL,
    checked_in_at DATETIME,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    CONSTRAINT pk_registrations PRIMARY KEY (event_id, id),
    CONSTRAINT ck_registrations_status CHECK (status IN ('confirmed', 'waitlisted', 'offered', 'pending', 'cancelled')),
    CONSTRAINT ck_registrations_position_waits CHECK ((status = 'waitlisted') = (waitlist_position IS NOT NULL)),
    CONSTRAINT fk_registrations_event_id FOREIGN KEY(event_id) REFERENCES admissions (event_id),
    CONSTRAINT fk_registrations_account_id FOREIGN KEY(account_id) REFERENCES users (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_registrations_account ON registrations (account_id, id) WHERE account_id IS NOT NULL;

CREATE INDEX ix_registrations_id ON registrations (id);

CREATE INDEX ix_registrations_person ON registrations (email_canonical, id);

CREATE INDEX ix_registrations_waiting ON registrations (event_id, waitlist_position) WHERE waitlist_position IS NOT NULL;

CREATE UNIQUE INDEX uq_registrations_person ON registrations (event_id, email_canonical) WHERE status <> 'cancelled';

CREATE TABLE event_numbers (
    number INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    end_at DATETIME NOT NULL,
    CONSTRAINT pk_event_numbers PRIMARY KEY (number),
    CONSTRAINT uq_event_numbers_event_id UNIQUE (event_id)
);

CREATE TABLE event_terms (
    term VARCHAR NOT NULL,
    CONSTRAINT pk_event_terms PRIMARY KEY (term)
) WITHOUT ROWID;

CREATE VIEW event_search_rows AS
SELECT n.number, e.title_words AS title, e.words, e.facets
FROM event_numbers AS n JOIN events AS e ON e.id = n.event_id;

CREATE VIRTUAL TABLE event_search USING fts5(
    title, words, facets, content='event_search_rows', content_rowid='number',
    tokenize="ascii tokenchars '=_'", prefix='2 3', detail='column', columnsize=0
);

CREATE TRIGGER events_search_insert AFTER INSERT ON events
WHEN NEW.status = 'published' AND NEW.visibility = 'public' BEGIN
    INSERT INTO event_numbers (number, event_id, end_at)
    SELECT coalesce(max(number) + 1, CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824), NEW.id, NEW.end_at
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
END;

CREATE TRIGGER events_search_update
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
    INSERT INTO event_numbers (number, event_id, end_at)
    SELECT * FROM (
    SELECT coalesce(max(number) + 1, CAST(strftime('%s', substr(NEW.start_at, 1, 19)) AS INTEGER)
        * 1073741824), NEW.id, NEW.end_at
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
END;

CREATE TRIGGER events_search_delete AFTER DELETE ON events BEGIN
    INSERT INTO event_search (event_search, rowid, title, words, facets)
    SELECT 'delete', number, OLD.title_words, OLD.words, OLD.facets FROM event_numbers
    WHERE event_id = OLD.id;
    DELETE FROM event_numbers WHERE event_id = OLD.id;
END;

CREATE TRIGGER events_ends_update AFTER UPDATE OF end_at ON events
WHEN OLD.end_at IS NOT NEW.end_at BEGIN
    UPDATE event_numbers SET end_at = NEW.end_at WHERE event_id = NEW.id;
END;

CREATE TABLE event_places (
    band INTEGER NOT NULL,
    longitude FLOAT NOT NULL,
    id BLOB NOT NULL,
    start_at DATETIME NOT NULL,
    end_at DATETIME NOT NULL,
    place_x FLOAT NOT NULL,
    place_y FLOAT NOT NULL,
    place_z FLOAT NOT NULL,
    CONSTRAINT pk_event_places PRIMARY KEY (band, longitude, id)
) WITHOUT ROWID;

CREATE TRIGGER events_places_insert AFTER INSERT ON events BEGIN
    INSERT INTO event_places (band, longitude, id, start_at, end_at, place_x, place_y, place_z)
    SELECT CAST((NEW.place_latitude + 90) * 50 AS INTEGER), NEW.place_longitude, NEW.id,
        NEW.start_at, NEW.end_at, NEW.place_x, NEW.place_y, NEW.place_z
    WHERE NEW.status = 'published' AND NEW.visibility = 'public' AND NEW.place_x IS NOT NULL
        AND NEW.place_y IS NOT NULL AND NEW.place_z IS NOT NULL;
END;

CREATE TRIGGER events_places_update
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
END;

CREATE TRIGGER events_places_delete AFTER DELETE ON events BEGIN
    DELETE FROM event_places
    WHERE band = CAST((OLD.place_latitude + 90) * 50 AS INTEGER)
    AND longitude = OLD.place_longitude AND id = OLD.id;
END;

CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;

CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;

-- ---- PostgreSQL: what `turnout schema sql` prints there ----

CREATE TABLE anonymizations (
    event_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    registrations INTEGER NOT NULL,
    CONSTRAINT pk_anonymizations PRIMARY KEY (event_id)
);

CREATE TABLE audit_entries (
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    standing VARCHAR(16) NOT NULL,
    actor_id UUID,
    request_id VARCHAR(64),
    action VARCHAR(64) NOT NULL,
    event_id UUID,
    subject_id UUID,
    changes JSONB,
    CONSTRAINT pk_audit_entries PRIMARY KEY (id)
);

CREATE INDEX ix_audit_entries_action ON audit_entries (action, id) WHERE action <> 'registration.created';

CREATE INDEX ix_audit_entries_actor ON audit_entries (actor_id, id) WHERE actor_id IS NOT NULL;

CREATE INDEX ix_audit_entries_event_id_id ON audit_entries (event_id, id);

CREATE INDEX ix_audit_entries_subject ON audit_entries (subject_id, id) WHERE event_id IS NULL;

CREATE TABLE facts (
    name VARCHAR(64) NOT NULL,
    value VARCHAR(200) NOT NULL,
    CONSTRAINT pk_facts PRIMARY KEY (name)
);

CREATE TABLE geocodings (
    provider VARCHAR(32) NOT NULL,
    query VARCHAR(400) NOT NULL,
    candidates JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_geocodings PRIMARY KEY (provider, query)
);

CREATE INDEX ix_geocodings_expires_at ON geocodings (expires_at);

CREATE TABLE idempotency_keys (
    key_hash BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    sealed_answer BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (key_hash)
);

CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE mail_choices (
    email_canonical VARCHAR(320) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    is_wanted BOOLEAN NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_mail_choices PRIMARY KEY (email_canonical, kind)
);

CREATE TABLE outbox_messages (
    id UUID NOT NULL,
    topic VARCHAR(64) NOT NULL,
    event_id UUID,
    subject_id UUID,
    payload JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    position BIGINT,
    reached UUID,
    CONSTRAINT pk_outbox_messages PRIMARY KEY (id)
);

CREATE INDEX ix_outbox_messages_deleted ON outbox_messages (position) WHERE topic = 'event.deleted' AND position IS NOT NULL;

CREATE INDEX ix_outbox_messages_due ON outbox_messages (due_at, id) WHERE finished_at IS NULL;

CREATE INDEX ix_outbox_messages_event ON outbox_messages (event_id, position) WHERE position IS NOT NULL;

CREATE UNIQUE INDEX uq_outbox_messages_position ON outbox_messages (position) WHERE position IS NOT NULL;

CREATE TABLE users (
    id UUID NOT NULL,
    email VARCHAR(254) NOT NULL,
    email_canonical VARCHAR(320) NOT NULL,
    email_verified_at TIMESTAMP WITH TIME ZONE,
    name VARCHAR(200) NOT NULL,
    search_text VARCHAR(600) NOT NULL,
    role VARCHAR(16) NOT NULL,
    timezone VARCHAR(64),
    locale VARCHAR(35),
    is_active BOOLEAN NOT NULL,
    password_hash VARCHAR(255),
    totp_sealed_secret BYTEA,
    totp_confirmed_at TIMESTAMP WITH TIME ZONE,
    totp_last_step BIGINT,
    erased_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_role CHECK (role IN ('admin', 'organizer', 'attendee')),
    CONSTRAINT uq_users_email_canonical UNIQUE (email_canonical)
);

CREATE INDEX ix_users_is_active ON users (is_active, email_canonical) WHERE erased_at IS NULL;

CREATE INDEX ix_users_role ON users (role, email_canonical) WHERE erased_at IS NULL;

CREATE TABLE api_tokens (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name VARCHAR(100) NOT NULL,
    token_hash BYTEA NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_api_tokens_user_id_id ON api_tokens (user_id, id);

CREATE TABLE calendar_feeds (
    user_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_calendar_feeds PRIMARY KEY (user_id),
    CONSTRAINT fk_calendar_feeds_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_calendar_feeds_token_hash UNIQUE (token_hash)
);

CREATE TABLE deliveries (
    id UUID NOT NULL,
    message_id UUID NOT NULL,
    channel VARCHAR(8) NOT NULL,
    lane VARCHAR(8) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    event_id UUID,
    recipient_id UUID NOT NULL,
    address VARCHAR(254),
    name VARCHAR(200),
    data JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries INTEGER NOT NULL,
    claim UUID,
    finished_at TIMESTAMP WITH TIME ZONE,
    outcome VARCHAR(8),
    last_error VARCHAR(300),
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT ck_deliveries_channel CHECK (channel IN ('mail', 'webhook')),
    CONSTRAINT ck_deliveries_lane CHECK (lane IN ('direct', 'bulk')),
    CONSTRAINT ck_deliveries_outcome CHECK (outcome IN ('sent', 'moot', 'dead')),
    CONSTRAINT ck_deliveries_ends_with_outcome CHECK ((outcome IS NULL) = (finished_at IS NULL)),
    CONSTRAINT fk_deliveries_message_id FOREIGN KEY(message_id) REFERENCES outbox_messages (id)
);

CREATE INDEX ix_deliveries_address ON deliveries (lower(address)) WHERE address IS NOT NULL;

CREATE INDEX ix_deliveries_dead ON deliveries (id) WHERE outcome = 'dead';

CREATE INDEX ix_deliveries_due ON deliveries (channel, lane, due_at, id) WHERE finished_at IS NULL;

CREATE INDEX ix_deliveries_recipient ON deliveries (recipient_id, id);

CREATE UNIQUE INDEX uq_deliveries_recipient ON deliveries (message_id, kind, recipient_id);

CREATE TABLE links (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    email VARCHAR(254) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_links PRIMARY KEY (id),
    CONSTRAINT ck_links_purpose CHECK (purpose IN ('verify-email', 'change-email', 'reset-password', 'invitation', 'set-up')),
    CONSTRAINT fk_links_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_links_user_id ON links (user_id);

CREATE TABLE openid_identities (
    issuer VARCHAR(300) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_openid_identities PRIMARY KEY (issuer, subject),
    CONSTRAINT fk_openid_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_openid_identities_user_id ON openid_identities (user_id);

CREATE TABLE recovery_codes (
    user_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash),
    CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE series (
    id UUID NOT NULL,
    organizer_id UUID NOT NULL,
    rule VARCHAR(500) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    start_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_series PRIMARY KEY (id),
    CONSTRAINT fk_series_organizer_id FOREIGN KEY(organizer_id) REFERENCES users (id)
);

CREATE INDEX ix_series_organizer_id_id ON series (organizer_id, id);

CREATE TABLE sign_ins (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind VARCHAR(16) NOT NULL,
    cookie_hash BYTEA,
    client VARCHAR(200) NOT NULL,
    address VARCHAR(45),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_ins PRIMARY KEY (id),
    CONSTRAINT ck_sign_ins_kind CHECK (kind IN ('tokens', 'page')),
    CONSTRAINT fk_sign_ins_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_sign_ins_cookie_hash UNIQUE (cookie_hash)
);

CREATE INDEX ix_sign_ins_user_id_id ON sign_ins (user_id, id);

CREATE TABLE delivery_attempts (
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    milliseconds INTEGER NOT NULL,
    status INTEGER,
    error VARCHAR(300),
    CONSTRAINT pk_delivery_attempts PRIMARY KEY (delivery_id, number),
    CONSTRAINT fk_delivery_attempts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
);

CREATE TABLE events (
    id UUID NOT NULL,
    slug VARCHAR(80) NOT NULL,
    organizer_id UUID NOT NULL,
    name VARCHAR(200) NOT NULL,
    description TEXT NOT NULL,
    location VARCHAR(300) NOT NULL,
    timezone VARCHAR(64) NOT NULL,
    start_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    start_at TIMESTAMP WITH TIME ZONE NOT NULL,
    end_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    end_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR(16) NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    place_name VARCHAR(200),
    place_address VARCHAR(300),
    place_city VARCHAR(120),
    place_country VARCHAR(120),
    place_country_code VARCHAR(2),
    place_latitude DOUBLE PRECISION,
    place_longitude DOUBLE PRECISION,
    online_url VARCHAR(2000),
    tags JSONB NOT NULL,
    import_key VARCHAR(64),
    version INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sequence INTEGER NOT NULL,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    cancel_reason VARCHAR(1000),
    cover JSONB,
    series_id UUID,
    series_local TIMESTAMP WITHOUT TIME ZONE,
    place_source VARCHAR(16),
    place_lookup_at TIMESTAMP WITH TIME ZONE,
    place_lookups INTEGER NOT NULL,
    suggested_timezone VARCHAR(64),
    place_x DOUBLE PRECISION,
    place_y DOUBLE PRECISION,
    place_z DOUBLE PRECISION,
    lasting INTEGER NOT NULL,
    title_words TEXT NOT NULL,
    words TEXT NOT NULL,
    facets TEXT NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id),
    CONSTRAINT ck_events_status CHECK (status IN ('draft', 'published', 'cancelled')),
    CONSTRAINT ck_events_visibility CHECK (visibility IN ('public', 'unlisted', 'private')),
    CONSTRAINT ck_events_place_source CHECK (place_source IN ('organizer', 'geocoder')),
    CONSTRAINT ck_events_ends_after_start CHECK (end_at > start_at),
    CONSTRAINT ck_events_cancelled_once CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT uq_events_slug UNIQUE (slug),
    CONSTRAINT fk_events_organizer_id FOREIGN KEY(organizer_id) REFERENCES users (id),
    CONSTRAINT uq_events_import_key UNIQUE (import_key),
    CONSTRAINT fk_events_series_id FOREIGN KEY(series_id) REFERENCES series (id)
);

CREATE INDEX ix_events_listed ON events (start_at, id, end_at) WHERE status = 'published' AND visibility = 'public';

CREATE INDEX ix_events_long ON events (lasting, start_at, id, end_at) WHERE lasting > 0 AND status = 'published' AND visibility = 'public';

CREATE INDEX ix_events_organizer ON events (organizer_id, start_at, id);

CREATE INDEX ix_events_place_lookup ON events (place_lookup_at) WHERE place_lookup_at IS NOT NULL;

CREATE INDEX ix_events_series ON events (series_id, start_at, id);

CREATE TABLE refresh_tokens (
    token_hash BYTEA NOT NULL,
    sign_in_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk_refresh_tokens_sign_in_id FOREIGN KEY(sign_in_id) REFERENCES sign_ins (id)
);

CREATE INDEX ix_refresh_tokens_sign_in_id ON refresh_tokens (sign_in_id);

CREATE TABLE admissions (
    event_id UUID NOT NULL,
    capacity INTEGER,
    taken INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    waitlist_enabled BOOLEAN NOT NULL,
    opens_local TIMESTAMP WITHOUT TIME ZONE,
    opens_at TIMESTAMP WITH TIME ZONE,
    closes_local TIMESTAMP WITHOUT TIME ZONE,
    closes_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_admissions PRIMARY KEY (event_id),
    CONSTRAINT ck_admissions_capacity CHECK (capacity IS NULL OR capacity >= 1),
    CONSTRAINT ck_admissions_never_oversold CHECK (taken >= 0 AND (capacity IS NULL OR taken <= capacity)),
    CONSTRAINT ck_admissions_waiting CHECK (waiting >= 0),
    CONSTRAINT fk_admissions_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE announcements (
    event_id UUID NOT NULL,
    before JSONB NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_announcements PRIMARY KEY (event_id),
    CONSTRAINT fk_announcements_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_announcements_due_at ON announcements (due_at);

CREATE TABLE covers (
    event_id UUID NOT NULL,
    media_type VARCHAR(32) NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_covers PRIMARY KEY (event_id),
    CONSTRAINT fk_covers_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE reminders (
    event_id UUID NOT NULL,
    minutes_before INTEGER,
    due_at TIMESTAMP WITH TIME ZONE,
    sent_for TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_reminders PRIMARY KEY (event_id),
    CONSTRAINT ck_reminders_minutes_before CHECK (minutes_before IS NULL OR minutes_before BETWEEN 5 AND 43200),
    CONSTRAINT fk_reminders_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_reminders_due_at ON reminders (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE slots (
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    title VARCHAR(200) NOT NULL,
    room VARCHAR(120),
    speaker VARCHAR(200),
    description TEXT,
    start_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    start_at TIMESTAMP WITH TIME ZONE NOT NULL,
    end_local TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    end_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_slots PRIMARY KEY (id),
    CONSTRAINT ck_slots_ends_after_start CHECK (end_at > start_at),
    CONSTRAINT fk_slots_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_slots_agenda ON slots (event_id, start_at, id);

CREATE TABLE team_members (
    event_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_team_members PRIMARY KEY (event_id, user_id),
    CONSTRAINT ck_team_members_role CHECK (role IN ('editor', 'door')),
    CONSTRAINT fk_team_members_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE,
    CONSTRAINT fk_team_members_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_team_members_user_id_event_id ON team_members (user_id, event_id);

CREATE TABLE webhooks (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    event_id UUID,
    url VARCHAR(2000) NOT NULL,
    description VARCHAR(200) NOT NULL,
    topics JSONB NOT NULL,
    sealed_secret BYTEA NOT NULL,
    former_sealed_secret BYTEA,
    former_until TIMESTAMP WITH TIME ZONE,
    is_active BOOLEAN NOT NULL,
    disabled_reason VARCHAR(300),
    failing_since TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_webhooks PRIMARY KEY (id),
    CONSTRAINT fk_webhooks_owner_id FOREIGN KEY(owner_id) REFERENCES users (id),
    CONSTRAINT fk_webhooks_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE INDEX ix_webhooks_event_id ON webhooks (event_id);

CREATE INDEX ix_webhooks_owner_id ON webhooks (owner_id, id);

CREATE TABLE wordings (
    event_id UUID NOT NULL,
    kind VARCHAR(64) NOT NULL,
    subject VARCHAR(200) NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_wordings PRIMARY KEY (event_id, kind),
    CONSTRAINT fk_wordings_event_id FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE registrations (
    event_id UUID NOT NULL,
    id UUID NOT NULL,
    name VARCHAR(200) NOT NULL,
    email VARCHAR(254) NOT NULL,
    email_canonical VARCHAR(320) NOT NULL,
    account_id UUID,
    status VARCHAR(16) NOT NULL,
    waitlist_position INTEGER,
    held_until TIMESTAMP WITH TIME ZONE,
    manage_token_hash BYTEA,
    answers JSONB NOT NULL,
    checked_in_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_registrations PRIMARY KEY (event_id, id),
    CONSTRAINT ck_registrations_status CHECK (status IN ('confirmed', 'waitlisted', 'offered', 'pending', 'cancelled')),
    CONSTRAINT ck_registrations_position_waits CHECK ((status = 'waitlisted') = (waitlist_position IS NOT NULL)),
    CONSTRAINT fk_registrations_event_id FOREIGN KEY(event_id) REFERENCES admissions (event_id),
    CONSTRAINT fk_registrations_account_id FOREIGN KEY(account_id) REFERENCES users (id)
);

CREATE INDEX ix_registrations_account ON registrations (account_id, id) WHERE account_id IS NOT NULL;

CREATE INDEX ix_registrations_id ON registrations (id);

CREATE INDEX ix_registrations_person ON registrations (email_canonical, id);

CREATE INDEX ix_registrations_waiting ON registrations (event_id, waitlist_position) WHERE waitlist_position IS NOT NULL;

CREATE UNIQUE INDEX uq_registrations_person ON registrations (event_id, email_canonical) WHERE status <> 'cancelled';

CREATE FUNCTION lock_seats(events uuid[], people text[], wait boolean)
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
$$;

CREATE TABLE event_search (
    event_id uuid NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    lasting integer NOT NULL,
    title tsvector NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT pk_event_search PRIMARY KEY (event_id),
    CONSTRAINT fk_event_search_event_id FOREIGN KEY (event_id)
        REFERENCES events (id) ON DELETE CASCADE
);

CREATE TABLE event_facets (
    facet varchar COLLATE "C" NOT NULL,
    start_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    end_at timestamptz NOT NULL,
    place_x double precision,
    place_y double precision,
    place_z double precision,
    CONSTRAINT pk_event_facets PRIMARY KEY (facet, start_at, event_id)
        INCLUDE (end_at, place_x, place_y, place_z)
);

CREATE TABLE event_terms (
    term varchar COLLATE "C" NOT NULL
);

CREATE INDEX ix_event_terms_term ON event_terms (term);

CREATE INDEX ix_event_search_start_at ON event_search (start_at, event_id);

CREATE INDEX ix_event_search_long
    ON event_search (lasting, start_at, event_id) WHERE lasting > 0;

CREATE INDEX ix_event_search_title ON event_search
    USING gin (title) WITH (fastupdate = off);

CREATE INDEX ix_event_search_words ON event_search
    USING gin (words) WITH (fastupdate = off);

CREATE FUNCTION lexemes_of(words text, facets text) RETURNS tsvector
LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_tsvector(
        array_remove(string_to_array(concat_ws(' ', words, facets), ' '), '')
        || ARRAY(
            SELECT '=p' || left(word, letters)
            FROM unnest(string_to_array(words, ' ')) AS word,
                generate_series(2, 3) AS letters
            WHERE length(word) >= letters))
$$;

CREATE FUNCTION spans_of(instant timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '=m0_' || floor(extract(epoch FROM instant) / 1382400)
        || ' =m1_' || floor(extract(epoch FROM instant) / 22118400)
$$;

CREATE FUNCTION index_event() RETURNS trigger
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
$$;

CREATE TRIGGER events_search_insert AFTER INSERT ON events
FOR EACH ROW WHEN (NEW.status = 'published' AND NEW.visibility = 'public')
EXECUTE FUNCTION index_event();

CREATE TRIGGER events_search_update AFTER UPDATE ON events
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
EXECUTE FUNCTION index_event();

CREATE TRIGGER events_search_delete AFTER DELETE ON events
FOR EACH ROW EXECUTE FUNCTION index_event();

CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entries is append-only';
END
$$;

CREATE TRIGGER audit_entries_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
