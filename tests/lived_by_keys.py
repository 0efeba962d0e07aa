"""What was lived through by API keys: programs that act for somebody until their keys end, in every way there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from domain.commands.api_key import (
    KeyChanges,
    KeyWanted,
    change_key,
    delete_key,
    make_key,
    report_key,
    revoke_keys,
    rotate_key,
    use_key,
)
from domain.commands.principal import PersonByKey, PersonBySession
from domain.commands.session import sign_in
from domain.commands.user import sign_up, update_user
from domain.commands.verified_account import verified_account
from tests.lived import Lives
from tests.people import PASSWORD


def programs_act(lives: Lives) -> UUID:
    """Somebody makes keys for their programs, which use them; every one but one ends."""
    context, where = lives.context, lives.somewhere()
    email = f"programmer.{lives.chances.randrange(10**12)}@example.com"
    user_id = sign_up(
        context, email=email, name="Programmer", image=None, password=PASSWORD, remembered=True, now=lives.now,
        where_from=where,
    ).person.user_id  # fmt: skip
    verified = verified_account(context, email=email, password=PASSWORD, now=lives.now)
    sign_in(context, verified, remembered=True, now=lives.now, where_from=where)
    [[session_id, organization_id]] = context.store.statements.rows(
        "SELECT session_id, organization_id FROM session_list WHERE user_id = $1"
        " ORDER BY created_at DESC, session_id DESC LIMIT 1",
        user_id,
    )
    ada = PersonBySession(user_id=user_id, session_id=session_id, at=lives.now, where_from=where)

    def later() -> PersonBySession:
        lives.now += timedelta(hours=1)
        return replace(ada, at=lives.now)

    before = make_key(context, later(), KeyWanted(name="of the first days"))
    revoke_keys(context, later())
    everything = make_key(context, later(), KeyWanted(name="all", lifetime=timedelta(days=30)))
    bound = make_key(
        context,
        later(),
        KeyWanted(name="ci", prefix="ci_", metadata='{"a":1}', scopes=("read",), organization_id=organization_id),
    )
    for key in (before, everything, bound):
        later()
        use_key(context, api_key_id=key.api_key_id, user_id=user_id, now=lives.now, where_from=lives.somewhere())
    later()
    by_key = PersonByKey(user_id=user_id, api_key_id=everything.api_key_id, at=lives.now, where_from=lives.somewhere())
    update_user(context, by_key, name="Programmer the Second", image=None)
    change_key(context, later(), everything.api_key_id, KeyChanges(name="deploy", metadata=('{"b":2}',)))
    change_key(context, later(), everything.api_key_id, KeyChanges(enabled=False))
    change_key(context, later(), everything.api_key_id, KeyChanges(enabled=True, lifetime=(None,)))
    anew = rotate_key(context, later(), everything.api_key_id, old_good_for=timedelta(days=1))
    delete_key(context, later(), anew.api_key_id)
    later()
    report_key(context, bound.secret, now=lives.now, where_from=lives.somewhere())
    make_key(context, later(), KeyWanted(name="that stays"))
    lives.people[email], lives.passwords[user_id] = user_id, PASSWORD
    return user_id
