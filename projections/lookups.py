"""The look-ups of commands, answered by the lists: each by the one whose table it asks."""

from __future__ import annotations

from .lists.account_list import AccountLookups
from .lists.api_key_list import ApiKeyLookups
from .lists.invitation_list import InvitationLookups
from .lists.mailed_link_list import MailedLinkLookups
from .lists.member_list import MemberLookups
from .lists.of_a_person import PersonLookups
from .lists.organization_list import OrganizationLookups
from .lists.session_list import SessionLookups


class ListLookups(
    AccountLookups,
    SessionLookups,
    MemberLookups,
    OrganizationLookups,
    InvitationLookups,
    MailedLinkLookups,
    ApiKeyLookups,
    PersonLookups,
):
    """`domain.commands.lookups.Lookups`, which says what each answers."""
