-- Links that went to an address by mail: of each account the newest one for a purpose, and every offer to undo.

CREATE TABLE mailed_link_list (
    mailed_link_id   uuid        PRIMARY KEY,
    version          integer     NOT NULL,
    user_id          uuid        NOT NULL,
    purpose          text        NOT NULL,
    slot             text,
    email_hash       bytea       NOT NULL,
    password_version integer,
    session_epoch    integer,
    link_hash        bytea       CONSTRAINT mailed_link UNIQUE,
    callback_url     text,
    sent_at          timestamptz NOT NULL,
    expires_at       timestamptz,
    ended_at          timestamptz,
    CONSTRAINT one_link_for_a_purpose UNIQUE (user_id, slot)
);
CREATE INDEX mailed_link_list_undoing ON mailed_link_list (email_hash) WHERE slot IS NULL AND ended_at IS NULL;
