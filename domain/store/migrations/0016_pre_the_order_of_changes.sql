-- How far an account had come when an offer to undo a change of its address was made: their order, whatever clocks say.

ALTER TABLE mailed_link_list ADD COLUMN account_version integer;
