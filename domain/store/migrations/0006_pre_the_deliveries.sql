-- Messages that are due because of an event: which event of which stream, by what kind, and what became of it. No address
-- and no text; whoever sends looks them up. Due again is what nobody finished: who works on a row moves `due_at` ahead.

CREATE TABLE deliveries (
    kind         text        NOT NULL,
    stream_id    uuid        NOT NULL,
    version      integer     NOT NULL,
    state        text        NOT NULL DEFAULT 'waiting',
    first_due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease        uuid,
    attempts     integer     NOT NULL DEFAULT 0,
    reason       text,
    ended_at     timestamptz,
    CONSTRAINT one_delivery_of_a_kind_an_event PRIMARY KEY (kind, stream_id, version),
    CONSTRAINT a_state_that_is_known CHECK (state IN ('waiting', 'sent', 'dropped', 'given_up')),
    CONSTRAINT ended_or_waiting CHECK ((state = 'waiting') = (ended_at IS NULL)),
    CONSTRAINT leased_while_waiting CHECK (lease IS NULL OR state = 'waiting')
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_ended ON deliveries (state, ended_at) WHERE state <> 'waiting';

-- Nobody gets a message about what happened before there were any. In an empty log nothing did, and a restored dump of
-- data brings the row with it.

INSERT INTO followers (name, position) SELECT 'deliveries', max(position) FROM log HAVING max(position) IS NOT NULL;
