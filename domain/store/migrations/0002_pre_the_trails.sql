-- Followers of the log: how far each has come, and what it could not take in.

CREATE TABLE followers (
    name        text        CONSTRAINT one_place_a_follower PRIMARY KEY,
    position    bigint      NOT NULL DEFAULT -1,
    moved_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    restarts    integer     NOT NULL DEFAULT 0
);

CREATE TABLE set_aside (
    follower    text        NOT NULL,
    position    bigint      NOT NULL,
    error       text        NOT NULL,
    set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT set_aside_once PRIMARY KEY (follower, position)
);

-- Who did what to whom, when, through which session: ids only, read with the events they point to.

CREATE TABLE journal (
    position        bigint      CONSTRAINT entered_once PRIMARY KEY,
    at              timestamptz NOT NULL,
    event           text        NOT NULL,
    stream_id       uuid        NOT NULL,
    version         integer     NOT NULL,
    command_id      uuid        NOT NULL,
    actor_kind      text        NOT NULL,
    actor_id        uuid,
    session_id      uuid,
    person_id       uuid,
    organization_id uuid,
    CONSTRAINT one_entry_an_event UNIQUE (stream_id, version)
);
CREATE INDEX journal_of_a_person ON journal (person_id, position) WHERE person_id IS NOT NULL;
CREATE INDEX journal_of_a_persons_events ON journal (person_id, event, position) WHERE person_id IS NOT NULL;
CREATE INDEX journal_by_actor ON journal (actor_id, position) WHERE actor_id IS NOT NULL;
CREATE INDEX journal_of_an_actors_events ON journal (actor_id, event, position) WHERE actor_id IS NOT NULL;
CREATE INDEX journal_of_an_organization ON journal (organization_id, position) WHERE organization_id IS NOT NULL;
CREATE INDEX journal_of_an_organizations_actors ON journal (organization_id, actor_id, position)
    WHERE organization_id IS NOT NULL;
CREATE INDEX journal_of_an_organizations_events ON journal (organization_id, event, position)
    WHERE organization_id IS NOT NULL;

-- Refused commands, folded: not events, since anyone could grow a person's history with them. Never rebuilt.

CREATE TABLE attempts (
    key            bytea       CONSTRAINT one_row_a_kind_of_attempt PRIMARY KEY,
    family         bytea       NOT NULL,
    after_position bigint      NOT NULL,
    person_id      uuid,
    session_id     uuid,
    action         text        NOT NULL,
    code           text        NOT NULL,
    ip_address     text,
    user_agent     text,
    times          integer     NOT NULL,
    first_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL
);
CREATE INDEX attempts_of_a_family ON attempts (family);
CREATE INDEX attempts_of_a_person ON attempts (person_id, after_position, key) WHERE person_id IS NOT NULL;
CREATE INDEX attempts_by_age ON attempts (last_at);

-- Rows that were found not to say what their events say, until they are healed.

CREATE TABLE drift (
    table_name  text        NOT NULL,
    key         text        COLLATE "C" NOT NULL,
    difference  text        NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT found_once PRIMARY KEY (table_name, key)
);

CREATE INDEX session_list_of_a_person ON session_list (user_id, created_at);
