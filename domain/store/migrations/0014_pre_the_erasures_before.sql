-- Who was erased before a backup was restored, as an export from then says: kept also of people whom the backup does not
-- know, since one of between knows them, and would bring them back. Ids, times, numbers and keyed hashes; never changed.

CREATE TABLE erasures_before (
    user_id     uuid NOT NULL,
    certificate text NOT NULL,
    CONSTRAINT certified_once PRIMARY KEY (user_id)
);
CREATE TABLE erased_addresses (
    user_id    uuid  NOT NULL,
    email_hash bytea NOT NULL,
    CONSTRAINT an_address_once PRIMARY KEY (user_id, email_hash)
);
