-- An account's address stays known by its keyed hash when the account is closed and its slot is free for somebody else.

ALTER TABLE account_list ADD COLUMN email_hash bytea;
UPDATE account_list SET email_hash = email_slot;
ALTER TABLE account_list ALTER COLUMN email_hash SET NOT NULL;
