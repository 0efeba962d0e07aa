"""Templates of pages made into answers: HTML in which every value is escaped, and nothing that runs stands in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse, Response

from .kept import MADE_FOR
from .look import Look
from .wording import LANGUAGES, Wording

_TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """Writes pages, in the look of one service."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def page(self, template: str, wording: Wording, values: Mapping[str, Any], *, status: int = 200) -> Response:
        """The page that a template makes of these values."""
        text = (
            _environment(wording)
            .get_template(template)
            .render(look=self.look, wording=wording, languages=LANGUAGES, **values)
        )
        return HTMLResponse(text, status)


@cache
def _environment(wording: Wording) -> Environment:
    """One for each language: its texts are found while a template is compiled into the code of one environment."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(wording.translations, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    environment.globals["ngettext"] = _counted(cast(Callable[..., str], environment.globals["ngettext"]), wording)
    environment.globals["MADE_FOR"] = MADE_FOR
    for name in ("safe", "urlize"):
        del environment.filters[name]
    environment.filters["moment"] = wording.moment
    environment.filters["day"] = wording.day
    return environment


def _counted(ngettext: Callable[..., str], wording: Wording) -> Callable[..., str]:
    """The same, with the number written as the language writes numbers."""

    @pass_context
    def counted(context: Context, one: str, many: str, number: int, **named: object) -> str:
        return ngettext(context, one, many, number, **{"num": wording.number(number), **named})

    return counted
