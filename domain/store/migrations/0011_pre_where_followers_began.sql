-- Where a follower began, so that what it must have taken in can be told from what it never saw. Of one that was there
-- before it is not known, and noted when it begins again.

ALTER TABLE followers ADD COLUMN began_after bigint;
