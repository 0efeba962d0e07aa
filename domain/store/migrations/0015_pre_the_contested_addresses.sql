-- Whether somebody else wanted to open an account with the address of this one before that was proved.

ALTER TABLE account_list ADD COLUMN email_contested boolean NOT NULL DEFAULT false;
