-- Where a session was last used from, once that was elsewhere than where it was signed in.

ALTER TABLE session_list
    ADD COLUMN moved_at         timestamptz,
    ADD COLUMN moved_ip_address text,
    ADD COLUMN moved_user_agent text;
CREATE INDEX session_list_of_the_living ON session_list (user_id, expires_at) WHERE ended_at IS NULL;

-- Null until the first change.

ALTER TABLE account_list ADD COLUMN password_changed_at timestamptz;

-- When sessions were last used: no history, written in batches, never rebuilt. Part of every backup.

CREATE TABLE last_active (
    session_id  uuid        CONSTRAINT one_row_a_session PRIMARY KEY,
    at          timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Every request counts: without an index on what changes, a counter is updated in its place.

DROP INDEX rate_limits_by_age;
