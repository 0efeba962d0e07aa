"""Where Chromium cannot be had, tests are skipped with the reason; where CI is set they fail instead."""

from __future__ import annotations

import pytest

from tests.browser import devices


@pytest.mark.parametrize(
    ("program", "reason"), [(None, "there is no Chromium here"), ("/bin/false", "Chromium does not start")]
)
def test_they_are_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch, program: str | None, reason: str) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(devices, "PROGRAM", program)
    with pytest.raises(pytest.skip.Exception, match=reason), devices.chromium():
        pass


def test_they_fail_where_the_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(devices, "PROGRAM", None)
    with pytest.raises(pytest.fail.Exception, match="there is no Chromium here"), devices.chromium():
        pass
