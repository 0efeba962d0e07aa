-- A person may have other credentials than a password, and several of a kind. A password has no id of its own: there is
-- one. The release before knows passwords only and names no kind: what it inserts is one.

ALTER TABLE credentials
    ADD COLUMN kind text NOT NULL DEFAULT 'password',
    ADD COLUMN id   text NOT NULL DEFAULT '',
    DROP CONSTRAINT one_password_a_person,
    ADD CONSTRAINT credential_once PRIMARY KEY (user_id, kind, id),
    ADD CONSTRAINT one_password_a_person CHECK (kind <> 'password' OR id = '');
