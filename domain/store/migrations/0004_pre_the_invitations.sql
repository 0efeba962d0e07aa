-- Places offered to an address, and who sits where in an organization.

CREATE TABLE invitation_list (
    invitation_id   uuid        PRIMARY KEY,
    version         integer     NOT NULL,
    organization_id uuid        NOT NULL,
    email           text,
    email_hash      bytea       NOT NULL,
    pending_slot    bytea,
    place           integer,
    role            text        NOT NULL,
    status          text        NOT NULL,
    inviter_id      uuid        NOT NULL,
    link_hash       bytea       NOT NULL CONSTRAINT invitation_link UNIQUE,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    CONSTRAINT one_pending UNIQUE (organization_id, pending_slot),
    CONSTRAINT place_taken UNIQUE (organization_id, place)
);
CREATE INDEX invitation_list_of_an_organization ON invitation_list (organization_id, created_at, invitation_id);
CREATE INDEX invitation_list_of_an_address ON invitation_list (email_hash) WHERE status IN ('pending', 'expired');
CREATE INDEX invitation_list_of_a_sender ON invitation_list (inviter_id);

ALTER TABLE member_list ADD COLUMN seat integer, ADD CONSTRAINT seat_taken UNIQUE (organization_id, seat);
CREATE INDEX member_list_by_joining ON member_list (organization_id, joined_at, membership_id)
    WHERE live_user_id IS NOT NULL;
CREATE INDEX member_list_by_role ON member_list (organization_id, role, joined_at, membership_id)
    WHERE live_user_id IS NOT NULL;
CREATE INDEX member_list_owners ON member_list (organization_id)
    WHERE live_user_id IS NOT NULL AND 'owner' = ANY (string_to_array(role, ','));

-- The start of a word of a name, or of an address.

CREATE INDEX account_list_words ON account_list USING gin (array_to_tsvector(array_remove(
    regexp_split_to_array(lower(coalesce(name, '') || ' ' || coalesce(email, '')), '[\s-]+'), '')));
