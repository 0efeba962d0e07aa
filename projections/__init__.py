"""What can be seen, and the one list of which projection runs where."""

from .deliveries import due
from .lists import (
    account_list,
    api_key_list,
    invitation_list,
    mailed_link_list,
    member_list,
    organization_list,
    session_list,
)
from .trails import journal

INLINE = (
    account_list.PROJECTION,
    organization_list.PROJECTION,
    member_list.PROJECTION,
    invitation_list.PROJECTION,
    session_list.PROJECTION,
    mailed_link_list.PROJECTION,
    api_key_list.PROJECTION,
)

FOLLOWERS = (journal.FOLLOWER, due.FOLLOWER)
