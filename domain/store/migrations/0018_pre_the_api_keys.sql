-- API keys: secrets by which programs act as people. Of the secret itself only the hash.

CREATE TABLE api_key_list (
    api_key_id      uuid        PRIMARY KEY,
    version         integer     NOT NULL,
    user_id         uuid        NOT NULL,
    epoch           integer     NOT NULL,
    key_hash        bytea       NOT NULL CONSTRAINT one_key_a_secret UNIQUE,
    start           text,
    prefix          text,
    name            text,
    metadata        text,
    scopes          text,
    organization_id uuid,
    enabled         boolean     NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    rotated_at      timestamptz,
    used_at         timestamptz,
    used_ip_address text,
    used_user_agent text,
    ended_at        timestamptz,
    end_reason      text
);
CREATE INDEX api_key_list_of_a_person ON api_key_list (user_id, created_at, api_key_id);
CREATE INDEX api_key_list_of_an_organization ON api_key_list (organization_id) WHERE ended_at IS NULL;

-- The keys of an account that live are those of its newest epoch, as its sessions are.

ALTER TABLE account_list ADD COLUMN key_epoch integer NOT NULL DEFAULT 0;

-- By which key a command was given; in the journal also how far that key's stream had come, as for people's names.

ALTER TABLE commands ADD COLUMN api_key_id uuid;
ALTER TABLE journal
    ADD COLUMN api_key_id      uuid,
    ADD COLUMN api_key_version integer;
