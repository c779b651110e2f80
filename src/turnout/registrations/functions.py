"""The function that PostgreSQL keeps for the gate: locks seats and reads them in one round trip.

On a busy server each round trip waits for a turn of the loop, so that two fewer in each set are
worth a third of its time. Inside the function every statement has a snapshot of its own, taken
when it begins: what is read after the lock is what was committed by whoever held it before. In one
plain statement it would come from before the wait.
"""

from sqlalchemy import DDL, event

from turnout.db.base import Base

CALL_LOCK_SEATS = "SELECT * FROM lock_seats($1, $2, $3)"

CREATE_LOCK_SEATS = """CREATE FUNCTION lock_seats(events uuid[], people text[], wait boolean)
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

event.listen(
    Base.metadata,
    "after_create",
    DDL(CREATE_LOCK_SEATS).execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
)
