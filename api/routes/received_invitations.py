"""Invitations as who got one sees them: looking, accepting, rejecting (wire.md §10, §10.2)."""

from __future__ import annotations

from typing import Annotated, NotRequired

from fastapi import APIRouter, Query
from pydantic import Field
from typing_extensions import TypedDict

from api.edge.caller import Caller, CurrentCaller, CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.json_response import NOT_KEPT, JsonResponse
from api.edge.problems import Problem
from api.edge.query import ExactQuery
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import SESSION_NEEDED
from domain.commands import received_invitation
from domain.commands.context import Context, EmailVerification
from domain.email_address import canonical
from domain.refusals import InvitationNotFound, InviterGone, NotTheRecipient
from projections.lists import invitation_list
from projections.lists.invitation_list import InvitationRow

from . import shapes
from .answer_fields import EndsAt, InvitedAddress, OfferedRole, OrganizationName, Slug
from .documented import documented, uncoded
from .invitations import Named, shown

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["invitation"])

_NOT_FOUND = "INVITATION_NOT_FOUND"
_NOT_AUTHENTICATED = "Not authenticated"
_MISSING_SESSION = "Missing session headers, or email query parameter."
_NO_ADDRESS = "User email cannot be passed for client side API calls."
_NOT_THE_RECIPIENT = "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION"


class WhichInvitation(ExactQuery):
    """An invitation, by the id in its link."""

    id: Annotated[str, Field(examples=["6d0a3bd1c2f94e5f8a7b9c0d1e2f3041"])]


class _Whose(ExactQuery):
    email: str = ""


class AcceptedAnswer(TypedDict):
    """The invitation, and the membership it made."""

    invitation: shapes.Invitation
    member: shapes.Member


class RejectedAnswer(TypedDict):
    """The invitation that nobody wants any more."""

    invitation: shapes.Invitation
    member: None


class InvitationAnswer(shapes.Invitation):
    """An invitation as its recipient sees it: to what, by whom."""

    organizationName: OrganizationName
    organizationSlug: Slug
    inviterEmail: Annotated[str, Field(examples=["ada@example.com"])]


class OwnInvitation(shapes.Invitation):
    """An invitation to the person who asks."""

    organizationName: OrganizationName


class CheckedInvitation(TypedDict):
    """What whoever has the link may know of an invitation. `acceptable` is false, or not there (wire.md A31)."""

    email: InvitedAddress
    organizationName: OrganizationName
    role: OfferedRole
    status: Annotated[str, Field(examples=["pending"])]
    expiresAt: EndsAt
    acceptable: NotRequired[bool]


class CheckAnswer(TypedDict):
    """What the page of a link needs: whether to sign up or to sign in."""

    invitation: CheckedInvitation
    userExists: bool


@router.post(
    "/organization/accept-invitation",
    operation_id="acceptInvitation",
    summary="Join by an invitation, and turn to the organization",
    responses=documented(
        AcceptedAnswer,
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "INVITATIONS_ARE_DISABLED",
        _NOT_FOUND,
        _NOT_THE_RECIPIENT,
        "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION",
        "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION",
        "ORGANIZATION_MEMBERSHIP_LIMIT_REACHED",
        "CONFLICT",
    ),
)
def accept_invitation(caller: CurrentCaller, form: Named) -> JsonResponse:
    current, context = caller.require_session(), caller.services.context
    joined = received_invitation.accept(context, current.principal, link=form.invitationId)
    found = invitation_list.accepted(context.store.statements, joined.invitation_id, joined.membership_id)
    assert found is not None, "it has just been written"
    invitation, member = found
    shown = shapes.invitation(invitation, context.keyring)
    return JsonResponse(AcceptedAnswer(invitation=shown, member=shapes.member(member)))


@router.post(
    "/organization/reject-invitation",
    operation_id="rejectInvitation",
    summary="Refuse an invitation",
    responses=documented(
        RejectedAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", _NOT_FOUND, _NOT_THE_RECIPIENT, "CONFLICT"
    ),
)
def reject_invitation(caller: CurrentCaller, form: Named) -> JsonResponse:
    current = caller.require_session()
    try:
        rejected = received_invitation.reject(caller.services.context, current.principal, link=form.invitationId)
    except InvitationNotFound:
        raise Problem.of_code(_NOT_FOUND, "Invitation not found!") from None
    return JsonResponse(RejectedAnswer(invitation=shown(caller, rejected), member=None))


@router.get(
    "/organization/get-invitation",
    operation_id="getInvitation",
    summary="An invitation to you: to what, as what, by whom",
    responses=documented(
        InvitationAnswer,
        "VALIDATION_ERROR",
        uncoded(401, "UNAUTHORIZED", _NOT_AUTHENTICATED),
        _NOT_FOUND,
        _NOT_THE_RECIPIENT,
        "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION",
        body=False,
    ),
)
def get_invitation(caller: CurrentCaller, query: Annotated[WhichInvitation, Query()]) -> JsonResponse:
    current = caller.require_session_or(Problem(401, message=_NOT_AUTHENTICATED))
    row = _acceptable(caller, query.id)
    if row.email is None or row.email != current.email:
        raise NotTheRecipient
    if row.inviter_role is None:
        raise InviterGone
    told = InvitationAnswer(
        **shapes.invitation(row, caller.services.context.keyring),
        organizationName=row.organization_name or "",
        organizationSlug=row.organization_slug or "",
        inviterEmail=row.inviter_email or "",
    )
    return JsonResponse(told, headers=NOT_KEPT)


@router.get(
    "/organization/list-user-invitations",
    operation_id="listUserInvitations",
    summary="The invitations to your address that you have not answered",
    openapi_extra=SESSION_NEEDED,
    responses=documented(
        list[OwnInvitation],
        uncoded(400, "UNAUTHORIZED", _MISSING_SESSION),
        uncoded(400, "EMAIL_GIVEN", _NO_ADDRESS),
        "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION",
        body=False,
    ),
)
def list_user_invitations(
    caller: CurrentCaller, query: Annotated[_Whose, Query(include_in_schema=False)]
) -> JsonResponse:
    if query.email:
        raise Problem(400, message=_NO_ADDRESS)
    missing = Problem(400, message=_MISSING_SESSION)
    current, context = caller.require_session_or(missing), caller.services.context
    if not current.email_verified:
        raise Problem.of_code("EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION")
    rows = invitation_list.invitations_to(context.store.statements, context.keyring.email_hash(current.email or ""))
    return JsonResponse(
        [
            OwnInvitation(**shapes.invitation(row, context.keyring), organizationName=row.organization_name or "")
            for row in rows
        ]
    )


@router.get(
    "/invitation/check",
    operation_id="checkInvitation",
    summary="What whoever has a link may know of its invitation; nothing is used up by looking",
    responses=documented(CheckAnswer, "VALIDATION_ERROR", _NOT_FOUND, body=False),
)
def check_invitation(client: CurrentClient, query: Annotated[WhichInvitation, Query()]) -> JsonResponse:
    context, now = client.services.context, client.request.now
    row = invitation_list.invitation(context.store.statements, context.keyring.invitation_hash(query.id))
    if row is None or row.email is None or not row.organization_open:
        raise InvitationNotFound
    shown = shapes.invitation(row, context.keyring)
    address = canonical(row.email) or ""
    checked = CheckedInvitation(
        email=shown["email"],
        # a link that leads nowhere any more tells nobody what the organization has been called since
        organizationName=row.organization_name or "" if row.waits(now) else "",
        role=shown["role"],
        status=shown["status"],
        expiresAt=shown["expiresAt"],
    )
    if not row.waits(now) or not row.stands:
        checked["acceptable"] = False
    known = _may_know(context, query.id) and context.lookups.email_known(context.keyring.email_hash(address))
    return JsonResponse(CheckAnswer(invitation=checked, userExists=known), headers=NOT_KEPT)


def _may_know(context: Context, link: str) -> bool:
    """Whether who brings a link may know who has an account: it came by mail, or a sign-up would tell them anyway."""
    return context.rules.email_verification is not EmailVerification.REQUIRED or context.keyring.went_by_mail(link)


def _acceptable(caller: Caller, link: str) -> InvitationRow:
    """An invitation that can be accepted. Raises InvitationNotFound."""
    context = caller.services.context
    row = invitation_list.invitation(context.store.statements, context.keyring.invitation_hash(link))
    if row is None or not row.waits(caller.request.now):
        raise InvitationNotFound
    return row
