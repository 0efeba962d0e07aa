-- Built first, while sessions can still be checked: what follows keeps everybody out, for a moment.

CREATE INDEX session_list_of_the_living ON session_list (user_id, expires_at) WHERE ended_at IS NULL;

-- Where a session was last used from, once that was elsewhere than where it was signed in.

ALTER TABLE session_list
    ADD COLUMN moved_at         timestamptz,
    ADD COLUMN moved_ip_address text,
    ADD COLUMN moved_user_agent text;

-- Which password is current, and when it was last changed: null until the first change.

ALTER TABLE account_list
    ADD COLUMN password_version    integer NOT NULL DEFAULT 1,
    ADD COLUMN password_changed_at timestamptz;

-- When sessions were last used: no history, written in batches, never rebuilt. Part of every backup.

CREATE TABLE last_active (
    session_id  uuid        CONSTRAINT one_row_a_session PRIMARY KEY,
    at          timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Every request counts: without an index on what changes, a counter is updated in its place. Keys are made another way
-- now, so what was counted under the old ones would never be found again.

DROP INDEX rate_limits_by_age;
TRUNCATE rate_limits;
