-- Who was erased, as it was certified: of which event, when, how many rows of which table that took. Ids and numbers only.
-- A certificate that stands here was issued before a backup was restored, and is handed out as it was.

CREATE TABLE erasures (
    user_id     uuid        CONSTRAINT erased_once PRIMARY KEY,
    version     integer     NOT NULL,
    erased_at   timestamptz NOT NULL,
    touched     text        NOT NULL,
    certificate text
);

-- Where the last message to somebody goes whose key is gone: sealed under the data key, until it is sent, for three days
-- at most.

CREATE TABLE farewells (
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    sealed      bytea       NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT one_farewell_an_erasure PRIMARY KEY (stream_id, version)
);
CREATE INDEX farewells_by_age ON farewells (written_at);

-- What was ever sent to an address, and where somebody ever belonged, must be found however long ago that was.

CREATE INDEX invitation_list_ever_to_an_address ON invitation_list (email_hash);
CREATE INDEX member_list_ever_of_a_person ON member_list (user_id);
