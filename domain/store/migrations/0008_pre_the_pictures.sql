-- Pictures that people and organizations show, kept once and sealed under their keys: at most one for each of them, under
-- a link that nobody can guess. Both columns are empty once it is shown no more.

CREATE TABLE pictures (
    owner_id uuid PRIMARY KEY,
    link     text UNIQUE,
    sealed   bytea,
    CONSTRAINT pictures_whole CHECK ((link IS NULL) = (sealed IS NULL))
);
-- what is sealed cannot be made any smaller
ALTER TABLE pictures ALTER COLUMN sealed SET STORAGE EXTERNAL;
