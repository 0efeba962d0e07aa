"""Pictures beside the history: one for each owner, changed with the event that says so, gone with the key."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.events.catalogue import USER
from domain.ids import new_id
from domain.refusals import SubjectGone
from domain.store import Addition, Store, Subject
from domain.store.conflicts import StoreUnavailable, StreamMovedOn
from domain.store.pictures import find_picture, kept_picture, no_picture
from domain.store.rows import Write
from domain.user import ImageChanged
from tests.databases import Database
from tests.domain.store.entries import by_ada, by_the_system, founded
from tests.domain.store.forgetting import forget, signed_up
from tests.people import ADA, BO
from tests.pictures import GIF, png

ROWS = "SELECT owner_id, link, sealed IS NULL FROM pictures ORDER BY link"


def showing(store: Store, *contents: bytes, writes: list[Write]) -> bool:
    """Ada shows these one after the other, in one commit with these rows."""
    user = store.load(USER, ADA)
    changed = [ImageChanged(image=content.hex()) for content in contents]
    return store.append(by_ada(), store.subject(ADA), user.with_events(changed, store.subject(ADA)), writes=writes)


def kept(store: Store, content: bytes, owner_id: UUID = ADA) -> tuple[str, Write]:
    link = store.keyring.picture_link(owner_id, content)
    return link, kept_picture(owner_id, store.key_of(store.subject(owner_id)), link=link, content=content)


def at(store: Store, link: str) -> bytes | None:
    return find_picture(store.statements, store.keyring, link)


def test_a_picture_takes_the_place_of_the_one_before(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    (first, keep_first), (second, keep_second) = kept(store, png()), kept(store, GIF)
    showing(store, png(), writes=[keep_first])
    assert (at(store, first), at(store, second)) == (png(), None)
    showing(store, GIF, writes=[keep_second])
    assert (at(store, first), at(store, second)) == (None, GIF)
    showing(store, b"", writes=[no_picture(ADA)])
    assert at(store, second) is None
    assert database.rows(ROWS) == [(ADA, None, True)]
    showing(store, png(), writes=[keep_first])
    assert at(store, first) == png()


def test_taking_none_away_is_nothing(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    assert showing(store, b"", writes=[no_picture(ADA)])
    assert database.rows(ROWS) == []


def test_it_changes_with_its_event_or_not_at_all(store: Store) -> None:
    signed_up(store, ADA, b"ada")
    user, (first, keep_first), (second, keep_second) = store.load(USER, ADA), kept(store, png()), kept(store, GIF)
    showing(store, png(), writes=[keep_first])
    late = user.with_events([ImageChanged(image="late")], store.subject(ADA))
    for write in (keep_second, no_picture(ADA)):
        with pytest.raises(StreamMovedOn):
            store.append(by_ada(), store.subject(ADA), late, writes=[write])
    assert (at(store, first), at(store, second)) == (png(), None)


@pytest.mark.parametrize("owners", [1, 2, 8, 9, 20])
def test_however_many_come_in_one_commit(store: Store, database: Database, owners: int) -> None:
    subjects = [store.new_subject(new_id()) for _ in range(owners)]
    additions, links, writes = [], [], []
    for number, subject in enumerate(subjects):
        additions.append(Addition(subject.subject_id, 0, [founded(f"slug-{number}", new_id())], subject))
        links.append(store.keyring.picture_link(subject.subject_id, png()))
        writes.append(kept_picture(subject.subject_id, store.key_of(subject), link=links[-1], content=png()))
    store.append(by_the_system(), None, *additions, writes=writes)
    assert len(set(links)) == owners
    assert {at(store, link) for link in links} == {png()}


def test_all_of_whom_is_forgotten_is_gone(store: Store, database: Database) -> None:
    signed_up(store, ADA, b"ada")
    signed_up(store, BO, b"bo")
    (hers, keep_hers), (his, keep_his) = kept(store, png()), kept(store, png(), BO)
    showing(store, png(), writes=[keep_hers, keep_his])
    forget(store, ADA)
    assert (at(store, hers), at(store, his)) == (None, png())
    assert database.rows(ROWS) == [(BO, his, False), (ADA, None, True)]


def test_nothing_is_sealed_with_a_key_that_is_gone_or_got_lost(store: Store) -> None:
    with pytest.raises(SubjectGone):
        store.key_of(Subject(ADA, None))
    with pytest.raises(StoreUnavailable):
        store.key_of(Subject(ADA, None, lost=True))


def test_nothing_is_sealed_for_another_log(store: Store, database: Database) -> None:
    """As in the moment after a restore: the node's keys open nothing that is there."""
    signed_up(store, ADA, b"ada")
    ada = store.subject(ADA)
    database.rows("DELETE FROM data_keys")
    other = Store(store.pool, store.keyring, [])
    with pytest.raises(StoreUnavailable):
        other.key_of(ada)


def test_links_differ_by_owner_and_by_content_and_by_nothing_else(store: Store) -> None:
    links = [store.keyring.picture_link(owner_id, content) for owner_id in (ADA, BO) for content in (png(), GIF)]
    assert len(set(links)) == 4
    assert links[0] == store.keyring.picture_link(ADA, png())
    assert {len(link) for link in links} == {32}
