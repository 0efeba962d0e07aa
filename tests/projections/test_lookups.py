"""The look-ups of commands are said twice: what each answers by the domain, and how by one list."""

from __future__ import annotations

from inspect import getdoc, isfunction

import pytest

from domain.commands.lookups import Lookups
from projections.lookups import ListLookups

QUESTIONS = sorted(name for name, one in vars(Lookups).items() if isfunction(one) and not name.startswith("_"))


def test_the_domain_asks_at_all() -> None:
    assert len(QUESTIONS) >= 15


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_look_up_is_answered_by_the_list_whose_table_it_asks_and_by_no_other(name: str) -> None:
    answering = [one for one in ListLookups.__mro__ if name in vars(one)]
    assert [one.__module__.rpartition(".")[0] for one in answering] == ["projections.lists"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_a_look_up_means_stands_with_who_asks_and_not_again_with_who_answers(name: str) -> None:
    assert getdoc(getattr(Lookups, name))
    [answer] = [vars(one)[name] for one in ListLookups.__mro__ if name in vars(one)]
    assert answer.__doc__ is None


def test_the_lists_answer_nothing_that_nobody_asks() -> None:
    answers = {name for one in ListLookups.__mro__[1:-1] for name, said in vars(one).items() if isfunction(said)}
    assert {name for name in answers if not name.startswith("_")} == set(QUESTIONS)
