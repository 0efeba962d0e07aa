-- The language somebody reads pages in, if they chose one.

ALTER TABLE account_list ADD COLUMN language text;
