"""Closing an organization, and what is left of it (wire.md §10, §10.3)."""

from __future__ import annotations

from tests.api.routes.fellows import NO_ID, NOT_FOUND, Person, new_email, new_slug

NOT_A_MEMBER = (400, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")


def test_the_closed_organization_is_answered_as_it_was(ada: Person, acme: str) -> None:
    ada.done("update", data={"metadata": {"a": 1}})
    before = ada.told("get-organization")
    assert ada.done("delete", organizationId=acme) == before
    assert before["metadata"] == '{"a":1}'
    assert ada.belongs_to() == [ada.own]


def test_closing_is_refused_in_this_order(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    assert bo.does("delete", organizationId="").problem == (400, "ORGANIZATION_NOT_FOUND")
    for organization_id in (acme, NO_ID, "no id"):
        assert bo.does("delete", organizationId=organization_id).problem == NOT_A_MEMBER
    ada.takes_in(bo)
    ada.takes_in(cy, "admin")
    for person in (bo, cy):
        answer = person.does("delete", organizationId=acme)
        assert answer.problem == (403, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION")
    assert ada.does("delete").problem == (400, "VALIDATION_ERROR")
    assert len(ada.roles(acme)) == 3


def test_nobody_is_turned_to_it_any_more(ada: Person, bo: Person, acme: str) -> None:
    ada.takes_in(bo)
    phone = bo.another_device()
    assert ada.active == bo.active == phone.active == acme
    ada.done("delete", organizationId=acme)
    assert (ada.active, bo.active, phone.active) == (None, None, None)
    assert bo.belongs_to() == [bo.own]


def test_nothing_can_be_done_with_it_any_more(ada: Person, bo: Person, acme: str) -> None:
    member_id = ada.takes_in(bo)
    ada.done("delete", organizationId=acme)
    assert ada.does("delete", organizationId=acme).problem == NOT_A_MEMBER
    assert ada.does("update", organizationId=acme, data={"name": "X"}).problem == NOT_A_MEMBER
    assert ada.does("set-active", organizationId=acme).problem == (403, NOT_A_MEMBER[1])
    for what in ("get-organization", "get-full-organization"):
        assert ada.asks(f"{what}?organizationId={acme}").problem == (400, "ORGANIZATION_NOT_FOUND")
    not_found = (400, "MEMBER_NOT_FOUND")
    assert ada.does("invite-member", organizationId=acme, email=new_email(), role="member").problem == not_found
    assert ada.does("remove-member", organizationId=acme, memberIdOrEmail=member_id).problem == not_found
    role = {"memberId": member_id, "role": "admin", "organizationId": acme}
    assert ada.does("update-member-role", **role).problem == not_found
    assert bo.does("leave", organizationId=acme).problem == not_found
    foreign = (403, "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION")
    assert ada.asks(f"list-members?organizationId={acme}").problem == foreign
    assert ada.asks(f"get-active-member-role?organizationId={acme}").problem == foreign


def test_its_slug_is_free(ada: Person, bo: Person) -> None:
    slug = new_slug()
    ada.done("delete", organizationId=ada.founds(slug))
    assert ada.done("check-slug", slug=slug) == {"status": True}
    assert ada.asks(f"get-organization?organizationSlug={slug}").problem == (400, "ORGANIZATION_NOT_FOUND")
    assert bo.founds(slug)


def test_its_invitations_went_with_it(ada: Person, bo: Person, acme: str) -> None:
    invitation_id = ada.invites(bo.email)
    ada.done("delete", organizationId=acme)
    assert bo.asks(f"get-invitation?id={invitation_id}").problem == NOT_FOUND
    assert bo.get(f"/invitation/check?id={invitation_id}").problem == NOT_FOUND
    assert bo.does("accept-invitation", invitationId=invitation_id).problem == NOT_FOUND


def test_its_invitations_can_be_neither_rejected_nor_canceled(ada: Person, bo: Person, acme: str) -> None:
    invitation_id = ada.invites(bo.email)
    ada.done("delete", organizationId=acme)
    assert ada.does("cancel-invitation", invitationId=invitation_id).problem == NOT_FOUND
    assert bo.does("reject-invitation", invitationId=invitation_id).problem == NOT_FOUND


def test_a_personal_organization_can_be_closed_too(ada: Person) -> None:
    ada.done("delete", organizationId=ada.own)
    assert (ada.active, ada.belongs_to()) == (None, [])
    assert ada.told("get-organization") is None
    assert ada.told("get-full-organization") is None
    assert ada.does("set-active").json() is None
