"""Every command there is, given by Ada or about her: which take her session to be fresh, and which why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.clock import now
from domain.commands import (
    api_key,
    credential,
    deletion_request,
    email,
    erasure,
    invitation,
    mailed_link,
    membership,
    operator,
    organization,
    password_reset,
    received_invitation,
    session,
    user,
)
from domain.commands.context import Context
from domain.commands.principal import Operator
from domain.commands.session import SignedIn
from domain.commands.verified_account import verified_account
from domain.mailed_link import Purpose
from domain.roles import Role
from tests.faults.organizations.races import Person, Place, invite, new_slug
from tests.faults.owners import HERE
from tests.lived_by_mail import mailed
from tests.people import PASSWORD

LATER = timedelta(hours=25)
"""After it no session is fresh that began before, and all still live."""
NEW_PASSWORD = "battery staple 2"


@dataclass(frozen=True)
class Scene:
    """Ada and Bo own a place where Cy is a member. Dee was invited as an owner, Eve as a member, both by Ada."""

    ada: Person
    bo: Person
    cy: Person
    dee: Person
    eve: Person
    place: Place
    dees: str
    eves: str


Act = Callable[[Context, Scene, datetime], object]


def turns(member: str, roles: tuple[Role, ...], *, by: str = "ada") -> Act:
    """One of them makes one of them something."""
    return lambda context, scene, at: membership.change_role(
        context,
        getattr(scene, by).acts(at=at),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[getattr(scene, member)],
        roles=roles,
    )


def removes(member: str, *, by: str = "ada") -> Act:
    """One of them removes one of them."""
    return lambda context, scene, at: membership.remove_member(
        context,
        getattr(scene, by).acts(at=at),
        organization_id=scene.place.organization_id,
        membership_id=scene.place.memberships[getattr(scene, member)],
    )


def leaves(who: str) -> Act:
    """One of them goes."""
    return lambda context, scene, at: membership.leave(
        context, getattr(scene, who).acts(at=at), organization_id=scene.place.organization_id
    )


def invites(role: str, *, resending: str | None = None) -> Act:
    """Ada invites somebody new, or somebody once more."""
    return lambda context, scene, at: invitation.invite(
        context,
        scene.ada.acts(at=at),
        organization_id=scene.place.organization_id,
        email=new_email(scene) if resending is None else getattr(scene, resending).email,
        role=role,
        resend=resending is not None,
    )


def new_email(scene: Scene) -> str:
    """An address nobody has had in another scene."""
    return f"new.{scene.place.organization_id.hex}@example.com"


def signs_up(context: Context, scene: Scene, link: str | None, at: datetime) -> SignedIn:
    return user.sign_up(
        context,
        email=new_email(scene),
        name="Fay",
        image=None,
        password=PASSWORD,
        remembered=True,
        link=link,
        now=at,
        where_from=HERE,
    ).session


def signs_up_as_owner(context: Context, scene: Scene, at: datetime) -> SignedIn:
    link = invite(context, scene.ada, scene.place, new_email(scene), role="owner")
    return signs_up(context, scene, link, at)


def signs_in(context: Context, scene: Scene, at: datetime) -> object:
    verified = verified_account(context, email=scene.ada.email, password=PASSWORD, now=at)
    return session.sign_in(context, verified, remembered=True, now=at, where_from=HERE)


def crowds_out(context: Context, scene: Scene, at: datetime) -> None:
    session.make_room(replace(context, sessions_per_user=1), scene.ada.user_id, now=at)


def expires(context: Context, scene: Scene, _at: datetime) -> object:
    return session.expire(context, session_id=scene.ada.tabs[1], now=now() + timedelta(days=8))


def is_used(context: Context, scene: Scene, at: datetime) -> object:
    elsewhere = replace(HERE, ip_address="192.0.2.77")
    return session.use_session(
        context, session_id=scene.ada.tabs[0], extending=True, reading=False, now=at, where_from=elsewhere
    )


def founds(context: Context, scene: Scene, at: datetime) -> object:
    return organization.found_organization(
        context, scene.ada.acts(at=at), name="Acme", slug=new_slug(), logo=None, metadata=None, turning=False
    )


def renames(context: Context, scene: Scene, at: datetime) -> object:
    return organization.update_organization(
        context, scene.ada.acts(at=at), organization_id=scene.place.organization_id, changes={"name": "Acme"}
    )


def chooses(context: Context, scene: Scene, at: datetime) -> object:
    return organization.choose_organization(context, scene.ada.acts(at=at), organization_id=scene.place.organization_id)


def changes_password(context: Context, scene: Scene, at: datetime) -> object:
    return credential.change_password(
        context, scene.ada.acts(at=at), current=PASSWORD, new=NEW_PASSWORD, revoking=True, organization_id=None
    )


def creates(context: Context, scene: Scene, at: datetime) -> object:
    return user.create_user(context, email=new_email(scene), name="Gil", password=PASSWORD, now=at)


def asks_for_reset(context: Context, scene: Scene, at: datetime) -> None:
    mailed_link.request_password_reset(context, email=scene.ada.email, callback_url="", now=at, where_from=HERE)


def resets(context: Context, scene: Scene, at: datetime) -> None:
    asks_for_reset(context, scene, at)
    link = mailed(context, scene.ada.user_id, Purpose.PASSWORD_RESET)
    password_reset.reset_password(context, link=link, password=PASSWORD, now=at, where_from=HERE)


def asks_for_verification(context: Context, scene: Scene, at: datetime) -> None:
    mailed_link.request_verification(context, email=scene.ada.email, callback_url="", now=at, where_from=HERE)


def verifies(context: Context, scene: Scene, at: datetime) -> None:
    asks_for_verification(context, scene, at)
    link = mailed(context, scene.ada.user_id, Purpose.EMAIL_VERIFICATION)
    email.verify_email(context, link=link, now=at, where_from=HERE)


def tries_to_sign_up(context: Context, scene: Scene, at: datetime) -> None:
    mailed_link.note_sign_up(context, email=scene.ada.email, now=at, where_from=HERE)


def changes_address(context: Context, scene: Scene, at: datetime) -> None:
    email.request_email_change(context, scene.ada.acts(at=at), email=new_email(scene), callback_url="")


def keeps_address(context: Context, scene: Scene, at: datetime) -> None:
    changes_address(context, scene, at - LATER)
    email.withdraw_email_change(context, scene.ada.acts(at=at))


def deletes(password: str | None) -> Act:
    """Ada deletes her account."""
    return lambda context, scene, at: erasure.delete_account(context, scene.ada.acts(at=at), password=password)


def erases(context: Context, scene: Scene, at: datetime) -> object:
    return erasure.erase_person(context, Operator(at=at), user_id=scene.ada.user_id)


def forgets(context: Context, scene: Scene, at: datetime) -> object:
    invite(context, scene.ada, scene.place, new_email(scene))
    return erasure.forget_invitations(
        context,
        Operator(at=at),
        user_id=UUID(int=1),
        email_hashes=[context.keyring.email_hash(new_email(scene))],
        erased_at=at + LATER,
    )


def ends_key(how: Callable[[Context, Scene, datetime, api_key.MadeKey], object]) -> Act:
    """Something becomes of a key that Ada has just made."""
    return lambda context, scene, at: how(context, scene, at, makes_key(context, scene, at))


def makes_key(context: Context, scene: Scene, at: datetime) -> api_key.MadeKey:
    return api_key.make_key(context, scene.ada.acts(at=at), api_key.KeyWanted(name="deploy"))


SENSITIVE: list[tuple[str, str, Act]] = [
    ("request_email_change", "takes the address from who has it", changes_address),
    ("change_role", "makes a member an owner", turns("cy", (Role.OWNER,))),
    ("change_role", "makes a member an owner beside what they are", turns("cy", (Role.MEMBER, Role.OWNER))),
    ("change_role", "demotes another owner", turns("bo", (Role.ADMIN,))),
    ("change_role", "demotes themselves", turns("ada", (Role.MEMBER,))),
    ("remove_member", "removes another owner", removes("bo")),
    ("remove_member", "removes themselves, an owner", removes("ada")),
    ("leave", "leaves as an owner", leaves("ada")),
    (
        "transfer_ownership",
        "hands it over",
        lambda context, scene, at: membership.transfer_ownership(
            context,
            scene.ada.acts(at=at),
            organization_id=scene.place.organization_id,
            membership_id=scene.place.memberships[scene.cy],
        ),
    ),
    (
        "close_organization",
        "closes it for all",
        lambda context, scene, at: organization.close_organization(
            context, scene.ada.acts(at=at), organization_id=scene.place.organization_id
        ),
    ),
    ("invite", "invites a stranger as an owner", invites("owner")),
    ("invite", "invites a stranger as an owner among others", invites("member,owner")),
    ("invite", "resends an invitation as an owner, whatever role is named", invites("member", resending="dee")),
    ("delete_account", "goes for good, as an owner", deletes(None)),
]
HARMLESS: list[tuple[str, str, Act]] = [
    ("withdraw_email_change", "keeps the address, whatever was asked for", keeps_address),
    ("change_role", "makes a member an admin", turns("cy", (Role.ADMIN,))),
    ("change_role", "gives an owner another role beside", turns("bo", (Role.OWNER, Role.ADMIN))),
    ("remove_member", "removes a member", removes("cy")),
    ("leave", "leaves as a member", leaves("cy")),
    ("invite", "invites a stranger as an admin", invites("admin")),
    ("invite", "resends an invitation as a member, whatever role is named", invites("owner", resending="eve")),
    (
        "cancel",
        "takes an invitation as an owner back: nothing was given yet",
        lambda context, scene, at: invitation.cancel(context, scene.ada.acts(at=at), link=scene.dees),
    ),
    (
        "accept",
        "accepts what an owner granted, who was asked then",
        lambda context, scene, at: received_invitation.accept(context, scene.dee.acts(at=at), link=scene.dees),
    ),
    (
        "reject",
        "does not want to be an owner",
        lambda context, scene, at: received_invitation.reject(context, scene.dee.acts(at=at), link=scene.dees),
    ),
    ("found_organization", "owns what was nobody's", founds),
    ("update_organization", "calls it otherwise", renames),
    ("choose_organization", "turns to it", chooses),
    ("sign_up", "owns what comes with the account", lambda context, scene, at: signs_up(context, scene, None, at)),
    ("sign_up", "accepts as who has just been authenticated", signs_up_as_owner),
    ("create_user", "somebody owns what comes with their account", creates),
    (
        "update_user",
        "is called otherwise",
        lambda context, scene, at: user.update_user(context, scene.ada.acts(at=at), name="Ada King", image=None),
    ),
    (
        "choose_language",
        "reads otherwise",
        lambda context, scene, at: user.choose_language(context, scene.ada.acts(at=at), language="de", before=None),
    ),
    (
        "reauthenticate",
        "is how a session becomes fresh",
        lambda context, scene, at: credential.reauthenticate(context, scene.ada.acts(at=at), password=PASSWORD),
    ),
    ("request_password_reset", "sends a link to the address", asks_for_reset),
    ("reset_password", "takes the link from the mail", resets),
    ("request_verification", "sends a link to the address", asks_for_verification),
    ("verify_email", "takes the link from the mail", verifies),
    ("note_sign_up", "sends a notice to the address", tries_to_sign_up),
    ("change_password", "gives the password", changes_password),
    ("delete_account", "gives the password", deletes(PASSWORD)),
    (
        "request_deletion",
        "sends a link to the address",
        lambda context, scene, at: deletion_request.request_deletion(
            context, scene.ada.acts(at=at), password=None, callback_url=""
        ),
    ),
    ("erase_person", "is what the operator does", erases),
    (
        "set_password",
        "is what the operator does",
        lambda context, scene, at: operator.set_password(
            context, Operator(at=at), user_id=scene.ada.user_id, password=PASSWORD
        ),
    ),
    (
        "change_email",
        "is what the operator does",
        lambda context, scene, at: operator.change_email(
            context, Operator(at=at), user_id=scene.ada.user_id, email=new_email(scene)
        ),
    ),
    (
        "unlock",
        "is what the operator does",
        lambda context, scene, at: operator.unlock(context, Operator(at=at), user_id=scene.ada.user_id),
    ),
    (
        "end_session",
        "is what the operator does",
        lambda context, scene, at: operator.end_session(
            context, Operator(at=at), user_id=scene.ada.user_id, session_id=scene.ada.tabs[0]
        ),
    ),
    (
        "end_sessions",
        "is what the operator does",
        lambda context, scene, at: operator.end_sessions(context, Operator(at=at), user_id=scene.ada.user_id),
    ),
    ("forget_invitations", "is what the operator does", forgets),
    ("sign_in", "gives the password", signs_in),
    ("_end_surplus", "ends sessions only", crowds_out),
    ("expire", "ends a session only", expires),
    ("use_session", "goes on", is_used),
    (
        "sign_out",
        "ends a session only",
        lambda context, scene, at: session.sign_out(context, session_id=scene.ada.tabs[0], now=at, where_from=HERE),
    ),
    (
        "revoke_session",
        "ends a session only",
        lambda context, scene, at: session.revoke_session(context, scene.ada.acts(at=at), named=scene.ada.tabs[1].hex),
    ),
    (
        "revoke_sessions",
        "ends sessions only",
        lambda context, scene, at: session.revoke_sessions(context, scene.ada.acts(at=at)),
    ),
    (
        "revoke_other_sessions",
        "ends sessions only",
        lambda context, scene, at: session.revoke_other_sessions(context, scene.ada.acts(at=at)),
    ),
    ("make_key", "lets a program do what a person may, but for what is sensitive", makes_key),
    (
        "change_key",
        "calls it otherwise",
        ends_key(
            lambda context, scene, at, key: api_key.change_key(
                context, scene.ada.acts(at=at), key.api_key_id, api_key.KeyChanges(name="ci")
            )
        ),
    ),
    (
        "delete_key",
        "takes away",
        ends_key(lambda context, scene, at, key: api_key.delete_key(context, scene.ada.acts(at=at), key.api_key_id)),
    ),
    (
        "rotate_key",
        "gives nothing that was not given before",
        ends_key(lambda context, scene, at, key: api_key.rotate_key(context, scene.ada.acts(at=at), key.api_key_id)),
    ),
    ("revoke_keys", "takes away", lambda context, scene, at: api_key.revoke_keys(context, scene.ada.acts(at=at))),
    (
        "report_key",
        "takes away",
        ends_key(lambda context, _, at, key: api_key.report_key(context, key.secret, now=at, where_from=HERE)),
    ),
    (
        "use_key",
        "notes that it is used",
        ends_key(
            lambda context, scene, at, key: api_key.use_key(
                context, api_key_id=key.api_key_id, user_id=scene.ada.user_id, now=at, where_from=HERE
            )
        ),
    ),
]
