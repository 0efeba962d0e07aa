-- What people call their organizations is theirs: sealed in events, gone when it is erased. A slug is claimed by a keyed
-- hash; what was claimed in the clear before keeps a hash of its own, as its event says to whoever reads it again.

ALTER TABLE organization_list
    ALTER COLUMN slug DROP NOT NULL,
    ALTER COLUMN slug_slot TYPE bytea USING sha256(convert_to(slug_slot, 'UTF8'));

-- Refused commands are kept under their own names, whichever way they came, and where they came from is sealed. What was
-- kept in the clear goes.

ALTER TABLE attempts RENAME COLUMN action TO command;
ALTER TABLE attempts DROP COLUMN ip_address, DROP COLUMN user_agent, ADD COLUMN sealed bytea;
UPDATE attempts SET command = coalesce((
    SELECT name FROM (VALUES
        ('sign-in/email', 'sign_in'), ('sign-up/email', 'sign_up'), ('sign-out', 'sign_out'),
        ('change-password', 'change_password'), ('verify-password', 'reauthenticate'), ('update-user', 'update_user'),
        ('update-session', 'update_session'), ('revoke-session', 'revoke_session'),
        ('revoke-sessions', 'revoke_sessions'), ('revoke-other-sessions', 'revoke_other_sessions'),
        ('organization/create', 'found_organization'), ('organization/update', 'update_organization'),
        ('organization/delete', 'close_organization'), ('organization/set-active', 'choose_organization'),
        ('organization/invite-member', 'invite'), ('organization/cancel-invitation', 'cancel_invitation'),
        ('organization/accept-invitation', 'accept_invitation'),
        ('organization/reject-invitation', 'reject_invitation'),
        ('organization/update-member-role', 'change_role'), ('organization/remove-member', 'remove_member'),
        ('organization/transfer-ownership', 'transfer_ownership'), ('organization/leave', 'leave_organization'),
        ('organization/check-slug', 'check_slug'), ('organization/has-permission', 'has_permission')
    ) AS named (path, name) WHERE path = command), command);

-- The trail names people and organizations as they were: each entry keeps how far their streams had come. What one
-- command did is one entry; renewals are none. It is filled anew from the log, by its follower.

TRUNCATE journal;
DELETE FROM set_aside WHERE follower = 'journal';
UPDATE followers SET position = -1 WHERE name = 'journal';
ALTER TABLE journal
    ADD COLUMN actor_version        integer,
    ADD COLUMN person_version       integer,
    ADD COLUMN organization_version integer;
CREATE INDEX journal_of_a_command ON journal (command_id);

-- Invitations that ran out are looked for by when.

CREATE INDEX invitation_list_running_out ON invitation_list (expires_at) WHERE pending_slot IS NOT NULL;
