-- What the application's role may do, and nothing more. Run after every migration, as the role that owns the tables.
-- An older release gave more: what is not named here is taken back.
REVOKE ALL ON ALL TABLES IN SCHEMA daybook FROM {role};
GRANT USAGE ON SCHEMA daybook TO {role};
GRANT SELECT ON migrations, data_keys TO {role};
GRANT SELECT, INSERT ON commands, events, log TO {role};
GRANT SELECT, INSERT, DELETE ON queue TO {role};
GRANT SELECT ON SEQUENCE queue_arrival_seq TO {role};
GRANT SELECT, INSERT, UPDATE ON subject_keys, credentials, pictures TO {role};
GRANT DELETE ON credentials TO {role};
GRANT SELECT, INSERT ON erasures, erasures_before, erased_addresses TO {role};
GRANT SELECT, INSERT, UPDATE ON account_list, session_list, organization_list, member_list, invitation_list, mailed_link_list,
    api_key_list
    TO {role};
GRANT SELECT, INSERT, UPDATE ON followers, journal TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits, attempts, last_active, set_aside, drift, deliveries, farewells TO {role};
