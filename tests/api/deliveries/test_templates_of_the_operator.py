"""Templates of the operator's: used in place of ours, and refused at the start where they could not be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.deliveries.mail_texts import MailTexts
from api.deliveries.mail_values import EXAMPLES, PasswordReset, links_needed
from api.deliveries.template_files import TemplateUnusable
from tests.api.deliveries.test_mail_texts import LINK, written
from tests.people import NOON


def test_a_file_of_the_operators_stands_in_place_of_ours_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "password-reset.subject.txt").write_text("Neues Passwort für {{ service }}\r\n")
    (tmp_path / "_foot.txt").write_text("Grüße")
    (tmp_path / "password-reset.txt").write_text("{{ link }}\n{% include '_foot.txt' %}")
    texts = MailTexts(tmp_path)
    texts.require_usable()
    mail = written(PasswordReset(link=LINK, expires_at=NOON), texts)
    assert (mail.subject, mail.text) == ("Neues Passwort für Accounts", f"{LINK}\nGrüße")
    assert mail.html == written(PasswordReset(link=LINK, expires_at=NOON)).html


def test_an_operators_layout_is_around_every_page(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("<main>{% block content %}{% endblock %}</main>")
    texts = MailTexts(tmp_path)
    texts.require_usable()
    assert all(written(one, texts).html.startswith("<main>") for examples in EXAMPLES.values() for one in examples)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("password-reset.html", "a\n\n{{ lnik }}", ["password-reset.html, line 3", "there is no 'lnik'", "link"]),
        ("password-reset.txt", "{% if expires_at == 1 %}\n{{ lnik }}{% endif %}", ["line 2", "'lnik'"]),
        ("password-reset.txt", "a\n{% if %}", ["password-reset.txt, line 2", "Expected an expression"]),
        ("password-reset.txt", "{{ link", ["line 1", "end of print"]),
        ("password-reset.txt", "{{ link.nothing }}", ["password-reset.txt, line 1", "nothing"]),
        ("password-reset.txt", "a\n{{ 1 / 0 }}", ["password-reset.txt, line 2", "division by zero"]),
        ("password-reset.html", "{{ link | safe }}", ["password-reset.html, line 1", "safe"]),
        ("password-reset.html", "{{ link | urlize }}", ["password-reset.html, line 1", "urlize"]),
        ("password-reset.html", "{{ ''.__class__.__mro__ }}", ["password-reset.html, line 1", "unsafe"]),
        ("password-reset.html", "{% include '../../settings.py' %}", ["password-reset.html, line 1", "settings.py"]),
        ("password-reset.html", "{% include '/etc/hostname' %}", ["password-reset.html, line 1", "hostname"]),
        ("password-reset.html", " ", ["password-reset.html", "cannot be written as mail: HTML"]),
        ("password-reset.subject.txt", "a\nBcc: x", ["password-reset.subject.txt", "as mail: subject"]),
        ("password-reset.subject.txt", "", ["password-reset.subject.txt", "as mail: subject"]),
        ("pasword-reset.txt", "x", ["pasword-reset.txt is no mail template; the nearest is password-reset.txt"]),
        ("password-reset.txt", "Hello.", ["password-reset.txt", "does not say {{ link }}"]),
        ("password-reset.txt", "{% if service == 'x' %}{{ link }}{% endif %}.", ["does not say {{ link }}"]),
        ("password-reset.txt", "{{ link | truncate(40) }}", ["does not say {{ link }}"]),
        ("password-reset.html", "<p>Hello.</p>", ["password-reset.html", "does not say {{ link }}"]),
        ("email-change-notice.html", "<p>Hello.</p>", ["email-change-notice.html", "does not say {{ undo_link }}"]),
        ("layout.html", "<p>Hello.</p>", ["layout.html", "does not say {{ link }}"]),
        ("_button.html", "{% macro button(a, b) %}{{ b }}{% endmacro %}", ["_button.html", "does not say {{ link }}"]),
        ("invitation.txt", "x" * 300_000, ["invitation.txt", "it is larger than 256 KiB"]),
        ("_foot.txt", "x" * 300_000, ["_foot.txt", "it is larger than 256 KiB"]),
        (
            "invitation.txt",
            "{{ link }}{% for _ in range(99999) %}abcdefgh{% endfor %}",
            ["invitation.txt", "longer than 256 Ki characters: text"],
        ),
        ("invitation.html", "{{ link }}{{ 'x' * 300000 }}", ["invitation.html", "longer than 256 Ki characters: HTML"]),
        ("layout.html", "{{ lnik }}{% block content %}{% endblock %}", ["layout.html, line 1", "lnik"]),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file_its_line_and_why(
    tmp_path: Path, file: str, text: str, told: list[str]
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(TemplateUnusable) as refused:
        MailTexts(tmp_path).require_usable()
    sentence = str(refused.value)
    assert all(one in sentence for one in told), sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_file_that_is_no_text_and_a_folder_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "invitation.txt").write_bytes(b"\xff")
    with pytest.raises(TemplateUnusable, match="cannot be read"):
        MailTexts(tmp_path).require_usable()
    with pytest.raises(TemplateUnusable, match="is not there or no folder"):
        MailTexts(tmp_path / "gone").require_usable()


def test_what_is_no_regular_file_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(TemplateUnusable) as refused:
            MailTexts(tmp_path).require_usable()
        return str(refused.value)

    for name in ("invitation.txt", "_foot.txt"):
        file = tmp_path / name
        file.symlink_to(tmp_path / "gone")
        assert f"({file}): it cannot be read (it is a link to nothing)." in refusal()
        file.unlink()
        os.mkfifo(file)
        assert f"({file}): it is no regular file." in refusal()
        file.unlink()
        file.symlink_to("/dev/zero")
        assert f"({file}): it is no regular file." in refusal()
        file.unlink()
    (tmp_path / "invitation.txt").mkdir()
    assert f"({tmp_path / 'invitation.txt'}): it cannot be read (IsADirectoryError)." in refusal()


def test_what_another_file_includes_is_no_fifo_either(tmp_path: Path) -> None:
    (tmp_path / "_parts").mkdir()
    os.mkfifo(tmp_path / "_parts" / "foot.txt")
    (tmp_path / "password-reset.txt").write_text("{{ link }}{% include '_parts/foot.txt' %}")
    with pytest.raises(TemplateUnusable, match=r"foot.txt\): it is no regular file"):
        MailTexts(tmp_path).require_usable()


def test_files_that_are_linked_to_are_used(tmp_path: Path) -> None:
    """As a ConfigMap is mounted."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "invitation.subject.txt").write_text("Welcome")
    (tmp_path / "invitation.subject.txt").symlink_to("..data/invitation.subject.txt")
    texts = MailTexts(tmp_path)
    texts.require_usable()
    assert written(EXAMPLES["invitation"][0], texts).subject == "Welcome"


@pytest.mark.parametrize(
    "endless",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    ],
)
def test_one_that_is_never_done_is_told_with_its_line(tmp_path: Path, endless: str) -> None:
    (tmp_path / "password-reset.txt").write_text(f"{{{{ link }}}}\n{endless}")
    with pytest.raises(TemplateUnusable, match=r"password-reset.txt, line 2\): it is not done writing"):
        MailTexts(tmp_path).require_usable(within=1.0)


def test_a_link_is_looked_for_as_html_writes_it() -> None:
    link = f"{LINK}&callbackURL=%2F"
    assert "&amp;callbackURL" in written(PasswordReset(link=link, expires_at=NOON)).html
    assert links_needed(PasswordReset(link=link, expires_at=NOON)) == {"link": link}
    assert links_needed(EXAMPLES["new-device"][0]) == {}
