-- The book of first entry: commands, events, and the order they stand in.

CREATE TABLE commands (
    command_id  uuid        CONSTRAINT command_once PRIMARY KEY,
    at          timestamptz NOT NULL,
    actor_kind  text        NOT NULL,
    actor_id    uuid,
    session_id  uuid,
    acting_for  uuid,
    subject_id  uuid,
    body        bytea       NOT NULL,
    sealed      bytea
);

CREATE TABLE events (
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    name        text        NOT NULL,
    subject_id  uuid,
    command_id  uuid        NOT NULL,
    body        bytea       NOT NULL,
    sealed      bytea,
    CONSTRAINT stream_moved_on PRIMARY KEY (stream_id, version)
);

CREATE TABLE queue (
    arrival     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE log (
    position    bigint      PRIMARY KEY,
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT logged_once UNIQUE (stream_id, version)
);

CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON commands EXECUTE FUNCTION refuse_to_rewrite();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION refuse_to_rewrite();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log EXECUTE FUNCTION refuse_to_rewrite();

-- Not derived from events and never rebuilt: keys, password hashes, counters. Part of every backup.

CREATE TABLE data_keys (
    generation  integer     PRIMARY KEY,
    wrapped     bytea       NOT NULL
);

CREATE TABLE subject_keys (
    subject_id  uuid        CONSTRAINT one_key_a_subject PRIMARY KEY,
    person_id   uuid,
    wrapped     bytea
);
CREATE INDEX subject_keys_of_a_person ON subject_keys (person_id);

CREATE TABLE credentials (
    user_id          uuid    CONSTRAINT one_password_a_person PRIMARY KEY,
    password_version integer NOT NULL,
    hash             text    NOT NULL
);

CREATE TABLE rate_limits (
    key         bytea       PRIMARY KEY,
    hits        integer     NOT NULL,
    last_hit_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_by_age ON rate_limits (last_hit_at);

-- The ledgers: one row mirrors one stream, at the version it stands at. Slots are null once the thing is over.

CREATE TABLE account_list (
    user_id        uuid        PRIMARY KEY,
    version        integer     NOT NULL,
    email          text,
    email_slot     bytea       CONSTRAINT email_taken UNIQUE,
    name           text,
    image          text,
    email_verified boolean     NOT NULL DEFAULT false,
    session_epoch  integer     NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    ended_at       timestamptz
);

CREATE TABLE session_list (
    session_id             uuid        PRIMARY KEY,
    version                integer     NOT NULL,
    user_id                uuid        NOT NULL,
    token_hash             bytea       NOT NULL CONSTRAINT session_token UNIQUE,
    way                    text        NOT NULL,
    epoch                  integer     NOT NULL,
    organization_id        uuid,
    organization_chosen_at timestamptz,
    ip_address             text,
    user_agent             text,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    authenticated_at       timestamptz NOT NULL,
    expires_at             timestamptz NOT NULL,
    ended_at               timestamptz,
    end_reason             text
);
CREATE INDEX session_list_organizations ON session_list (user_id, organization_chosen_at DESC)
    WHERE organization_id IS NOT NULL;

CREATE TABLE organization_list (
    organization_id       uuid        PRIMARY KEY,
    version               integer     NOT NULL,
    name                  text,
    slug                  text        NOT NULL,
    slug_slot             text        CONSTRAINT slug_taken UNIQUE,
    personal_organization uuid        CONSTRAINT personal_organization UNIQUE,
    logo                  text,
    metadata              text,
    created_at            timestamptz NOT NULL,
    ended_at              timestamptz
);

CREATE TABLE member_list (
    membership_id   uuid        PRIMARY KEY,
    version         integer     NOT NULL,
    organization_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    live_user_id    uuid,
    role            text        NOT NULL,
    joined_at       timestamptz NOT NULL,
    ended_at        timestamptz,
    CONSTRAINT already_member UNIQUE (organization_id, live_user_id)
);
CREATE INDEX member_list_of_a_person ON member_list (live_user_id, joined_at) WHERE live_user_id IS NOT NULL;
