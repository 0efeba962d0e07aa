"""Organization: founded, changed, owned, closed."""

from __future__ import annotations

from uuid import UUID

from domain.organization import (
    NEUTRAL_NAME,
    Facts,
    LogoChanged,
    MetadataChanged,
    Organization,
    OrganizationClosed,
    OrganizationErased,
    OrganizationEvent,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
    evolve,
    personal_slug,
)
from domain.refusals import LastOwner
from tests.domain.stories import given, refuses
from tests.people import ADA, BO

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
FOUNDED = OrganizationFounded(name="Acme", slug="acme", slug_hash=b"#acme", logo=None, metadata=None, owner_id=ADA)
PERSONAL = PersonalOrganizationFounded(
    name="Ada's Organization", slug="org-80000000000000d4", slug_hash=b"#org", owner_id=ADA
)


def acme(*events: OrganizationEvent) -> Organization:
    return given(evolve, [FOUNDED, *events])


def test_a_personal_organization_carries_its_person_s_name_and_a_slug_of_its_own() -> None:
    slug = personal_slug(ACME)
    assert Organization.found_personal(slug=slug, slug_hash=b"#org", owner_id=ADA, person="Ada") == [PERSONAL]


def test_whoever_founds_an_organization_owns_it() -> None:
    founded = Organization.found(name="Acme", slug="acme", slug_hash=b"#acme", logo=None, metadata=None, owner_id=ADA)
    assert founded == [FOUNDED]
    assert acme().owners == {ADA}


def test_what_changes_is_news_and_what_stays_is_not() -> None:
    assert acme().rename("Acme Works", before="Acme") == [OrganizationRenamed(name="Acme Works")]
    assert acme().rename("Acme", before="Acme") == []
    works = SlugChanged(before="acme", slug="works", slug_hash=b"#works")
    assert acme().change_slug("works", slug_hash=b"#works", before="acme") == [works]
    assert acme().change_slug("acme", slug_hash=b"#acme", before="acme") == []
    assert acme().show("logo.png", before=None) == [LogoChanged(logo="logo.png")]
    assert acme().show(None, before=None) == []
    assert acme().keep('{"a":1}', before=None) == [MetadataChanged(metadata='{"a":1}')]
    assert acme().keep(None, before=None) == []


def hashed(slug: str) -> bytes:
    """As the keyring would, but to be read."""
    return b"#" + slug.encode()


FACTS = Facts(name="Acme", slug="acme", logo="logo.png", metadata='{"a":1}')


def test_what_is_among_the_changes_changes_and_nothing_else() -> None:
    def change(**changes: str | None) -> list[OrganizationEvent]:
        return acme().change(changes, before=FACTS, slug_hash=hashed)

    assert change() == []
    assert change(name="Acme", slug="acme", logo="logo.png", metadata='{"a":1}') == []
    assert change(name="Acme Works", logo=None) == [OrganizationRenamed(name="Acme Works"), LogoChanged(logo=None)]
    assert change(slug="works", metadata=None) == [
        SlugChanged(before="acme", slug="works", slug_hash=b"#works"),
        MetadataChanged(metadata=None),
    ]


def test_an_organization_always_has_a_name_and_a_slug() -> None:
    assert acme().change({"name": None, "slug": None}, before=FACTS, slug_hash=hashed) == []


def test_what_it_is_called_and_shows_changes_nothing_of_what_it_may_do() -> None:
    shown: list[OrganizationEvent] = [
        OrganizationRenamed(name="Works"),
        SlugChanged(before="acme", slug="works", slug_hash=b"#works"),
        LogoChanged(logo="logo.png"),
        MetadataChanged(metadata="{}"),
    ]
    for event in shown:
        assert acme(event) == Organization(owners=frozenset({ADA}), personal_to=None, closed=False)


def test_a_second_owner_is_added_once() -> None:
    assert acme().add_owner(BO) == [OwnerAdded(user_id=BO)]
    assert acme(OwnerAdded(user_id=BO)).add_owner(BO) == []


def test_the_last_owner_stays() -> None:
    with refuses(LastOwner):
        acme().remove_owner(ADA)


def test_one_of_two_owners_may_go_and_the_other_then_stays() -> None:
    assert acme(OwnerAdded(user_id=BO)).remove_owner(ADA) == [OwnerRemoved(user_id=ADA)]
    with refuses(LastOwner):
        acme(OwnerAdded(user_id=BO), OwnerRemoved(user_id=ADA)).remove_owner(BO)


def test_who_does_not_own_it_cannot_cease_to() -> None:
    assert acme().remove_owner(BO) == []


def test_a_personal_organization_is_given_up_with_its_ownership() -> None:
    personal = given(evolve, [PERSONAL, OwnerAdded(user_id=BO)])
    gone = [OwnerRemoved(user_id=ADA), PersonalOrganizationGivenUp(user_id=ADA)]
    assert personal.remove_owner(ADA) == gone
    assert personal.remove_owner(BO) == [OwnerRemoved(user_id=BO)]
    assert given(evolve, [PERSONAL, OwnerAdded(user_id=BO), *gone]).personal_to is None


def test_an_organization_is_erased_once_it_is_closed() -> None:
    erased = OrganizationErased(user_id=ADA)
    assert acme().erase(ADA) == [OrganizationClosed(), erased]
    assert acme(OrganizationClosed()).erase(ADA) == [erased]
    assert acme(OrganizationClosed(), erased) == acme(OrganizationClosed())


def test_an_organization_closes_once() -> None:
    assert acme().close() == [OrganizationClosed()]
    assert acme(OrganizationClosed()).close() == []
    assert given(evolve, [PERSONAL, OrganizationClosed()]).personal_to is None


def test_what_carries_the_name_of_who_left_is_called_by_no_name() -> None:
    assert NEUTRAL_NAME == "Organization"
