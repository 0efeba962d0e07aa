-- Of four entries one is a session of one person (2), one somebody else's, two are members who join an organization (1),
-- every other of them the same one (3). Nothing of it is personal, so there is nothing to seal.
CREATE TEMP TABLE made AS
SELECT n, '2025-01-01T00:00:00Z'::timestamptz + n * interval '10 seconds' AS at, n % 4 AS kind,
       gen_random_uuid() AS command_id, gen_random_uuid() AS stream_id,
       CASE n % 4 WHEN 0 THEN '00000000-0000-0000-0000-000000000002'::uuid
                  WHEN 2 THEN '00000000-0000-0000-0000-000000000003'::uuid
                  ELSE gen_random_uuid() END AS actor_id
  FROM generate_series(0, :events - 1) AS n;
INSERT INTO commands
SELECT command_id, at, 'user', actor_id, stream_id, NULL, NULL,
       convert_to(json_build_object('command_id', command_id, 'at', to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                                    'actor_kind', 'user', 'actor_id', actor_id)::text, 'UTF8'), NULL
  FROM made;
INSERT INTO events
SELECT stream_id, 1, CASE WHEN kind < 2 THEN 'SessionStarted' ELSE 'MemberJoined' END, NULL, command_id,
       convert_to((CASE WHEN kind < 2
           THEN json_build_object('user_id', actor_id, 'token_hash', '', 'way', 'password', 'epoch', 0,
                                  'expires_at', to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
           ELSE json_build_object('organization_id', '00000000-0000-0000-0000-000000000001', 'user_id', actor_id,
                                  'role', 'member', 'joining', 'founded') END)::text, 'UTF8'), NULL
  FROM made;
INSERT INTO log SELECT n, stream_id, 1, at FROM made;
INSERT INTO journal
SELECT n, at, CASE WHEN kind < 2 THEN 'SessionStarted' ELSE 'MemberJoined' END, stream_id, 1, command_id, 'user',
       actor_id, stream_id, actor_id, CASE WHEN kind >= 2 THEN '00000000-0000-0000-0000-000000000001'::uuid END,
       1, 1, CASE WHEN kind >= 2 THEN 1 END
  FROM made;
ANALYZE
