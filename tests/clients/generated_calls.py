"""An application written with a client that openapi-python-client made: python generated_calls.py <base URL> <e-mail>

It gives nothing that may be left out, and prints what came of it.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from typing import Any

from daybook_client import AuthenticatedClient, Client
from daybook_client.api.account import sign_in_email, sign_out, sign_up_email, update_user
from daybook_client.api.activity import list_activity, list_organization_activity
from daybook_client.api.api_key import create_api_key, delete_api_key, list_api_keys, update_api_key
from daybook_client.api.health import ok
from daybook_client.api.invitation import invite_member, list_invitations
from daybook_client.api.organization import (
    create_organization,
    get_full_organization,
    has_permission,
    list_members,
    list_organizations,
    set_active_organization,
    update_organization,
)
from daybook_client.api.pages import get_picture
from daybook_client.api.session import get_session, list_sessions
from daybook_client.models import (
    ChangeKey,
    Changes,
    Create,
    CreateKey,
    HasPermission,
    HasPermissionPermissionsType0,
    Invite,
    NamedKey,
    OrganizationActivityAnswer,
    ProblemAnswer,
    SetActive,
    SignIn,
    SignInForm,
    SignUp,
    Update,
    UpdateUser,
)

PASSWORD = "correct horse 1"
GIF = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")


def main(base_url: str, email: str) -> dict[str, Any]:
    # it keeps the cookies it is given, and a POST with a cookie needs an origin
    origin = {"Origin": base_url}
    visitor = Client(base_url=base_url, headers=origin)
    signed_up = sign_up_email.sync(client=visitor, body=SignUp(name="Ada", email=email, password=PASSWORD))
    signed_in = sign_in_email.sync(client=visitor, body=SignInForm(email=email, password=PASSWORD))
    wrong = sign_in_email.sync(client=visitor, body=SignIn(email=email, password="wrong horse 1"))

    ada = AuthenticatedClient(base_url=base_url, token=signed_in.token, headers=origin)
    shown = get_session.sync(client=ada)
    founded = create_organization.sync(client=ada, body=Create(name="Analytical Engines", slug=email))
    renamed = update_organization.sync(client=ada, body=Update(data=Changes(name="Engines")))
    invited = invite_member.sync(client=ada, body=Invite(email=f"bo.{email}", role="member"))
    asked = HasPermissionPermissionsType0.from_dict({"member": ["create"]})
    update_user.sync(client=ada, body=UpdateUser(image=f"data:image/gif;base64,{b64encode(GIF).decode()}"))
    link = get_session.sync(client=ada).user.image.rpartition("/")[2]
    trail = list_organization_activity.sync(client=ada)
    made = create_api_key.sync(client=ada, body=CreateKey(name="ci", scopes=["read"]))
    robot = Client(base_url=base_url, headers={"x-api-key": made.key})
    by_key = list_organizations.sync(client=robot)
    missing = update_organization.sync(client=robot, body=Update(data=Changes(name="Taken")))
    disabled = update_api_key.sync(client=ada, body=ChangeKey(key_id=made.id, enabled=False))
    dead = get_session.sync(client=robot)
    return {
        "ok": ok.sync(client=visitor).ok,
        "user": signed_up.user.name,
        "wrong": wrong.code if isinstance(wrong, ProblemAnswer) else None,
        "lives": (shown.session.expires_at - shown.session.created_at).total_seconds(),
        "devices": len(list_sessions.sync(client=ada)),
        "founded": [member.role for member in founded.members],
        "renamed": renamed.name,
        "invited": [one.email for one in list_invitations.sync(client=ada)] == [invited.email],
        "allowed": has_permission.sync(client=ada, body=HasPermission(permissions=asked)).success,
        "members": list_members.sync(client=ada, limit=1).total,
        "whole": get_full_organization.sync(client=ada).members[0].user.email == email,
        "organizations": len(list_organizations.sync(client=ada)),
        "none active": set_active_organization.sync(client=ada, body=SetActive(organization_id=None)),
        "updated": update_user.sync(client=ada, body=UpdateUser(name="Ada King")).status,
        "picture": get_picture.sync_detailed(link, client=visitor).content == GIF,
        "trail": isinstance(trail, OrganizationActivityAnswer),
        "journal": isinstance(list_activity.sync(client=ada).entries, list),
        "key": [disabled.enabled, disabled.name, disabled.expires_at, disabled.scopes],
        "by key": len(by_key),
        "without scope": missing.code,
        "dead": dead.code,
        "keys": [one.start == made.start for one in list_api_keys.sync(client=ada, limit=1).api_keys],
        "deleted": delete_api_key.sync(client=ada, body=NamedKey(key_id=made.id)).success,
        "signed out": sign_out.sync(client=ada).success,
        "nobody": get_session.sync(client=ada),
    }


print(json.dumps(main(*sys.argv[1:])))
