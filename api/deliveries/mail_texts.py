"""What mails say: templates (Jinja2) for each kind, ours or, file by file, the operator's in their place."""

from __future__ import annotations

import difflib
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import StrictUndefined, TemplateNotFound, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from api.setting_values import Mailbox
from projections.trails.printable import printable

from .mail import Mail
from .mail_values import EXAMPLES, MailValues, links_needed, shown
from .template_files import LARGEST, TemplateFiles, TemplateUnusable, require_readable, text_of, unusable
from .transport import LastingRefusal

_OURS = Path(__file__).parent / "templates"
_PARTS = {"subject": ".subject.txt", "text": ".txt", "HTML": ".html"}
"""Of each kind, by what `LastingRefusal` calls them."""
_PATIENCE = 10.0
"""Seconds for one example, a thousand times what it takes."""
_SERVICE = "service"
"""What every template may name beside the values of its kind: what the service is called."""


class MailTexts:
    """Writes mails. `folder` is the operator's: a file there that is called as one of ours is used in its place.

    What a template is given is inert already (`mail_values`), HTML is escaped beside, and nothing marks anything as
    safe. A template is no program: it reads no file but its neighbours, and a name that it misspells is an error.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [one for one in (folder, _OURS) if one is not None]
        self._environment = ImmutableSandboxedEnvironment(
            loader=TemplateFiles(self._folders),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        # the first makes markup of data, the second links
        for filter_name in ("safe", "urlize"):
            del self._environment.filters[filter_name]

    def written(self, values: MailValues, *, name: str, sender: Mailbox, recipient: str, at: datetime) -> Mail:
        """The mail that says this; `name` is the delivery's. Raises LastingRefusal, TemplateError, ValueError."""
        given = {**shown(values), _SERVICE: printable(sender.name) or sender.address.rpartition("@")[2]}
        subject, text, html = (self._rendered(values.kind + file, given, part) for part, file in _PARTS.items())
        return Mail(name=name, sender=sender, recipient=recipient, subject=subject.strip(), text=text, html=html, at=at)

    def _rendered(self, template: str, given: dict[str, object], part: str) -> str:
        """No further than is sane: a template may have gone in circles."""
        rendered, size = list[str](), 0
        for piece in self._environment.get_template(template).generate(given):
            rendered.append(piece)
            size += len(piece)
            if size > LARGEST:
                raise LastingRefusal(f"is longer than {LARGEST // 1024} Ki characters: {part}")
        return "".join(rendered)

    def require_usable(self, *, within: float = _PATIENCE) -> None:
        """Write every kind once, in all it may say. Raises TemplateUnusable for the first that cannot be written, or is
        not written `within` so many seconds.
        """
        self._require_known()
        for kind, examples in EXAMPLES.items():
            for part in _PARTS.values():
                self._require_given(kind + part, {*shown(examples[0]), _SERVICE})
            for values in examples:
                self._require_written(values, within)

    def _require_known(self) -> None:
        """A misspelt file would never be used, and nobody told. What begins with _ is for the others to include."""
        ours = {file.name for file in _OURS.iterdir()}
        if not self._folders[0].is_dir():
            raise TemplateUnusable(f"The folder of mail templates, {self._folders[0]}, is not there or no folder.")
        for file in sorted(self._folders[0].iterdir()):
            if file.name not in ours and not file.name.startswith(("_", ".")):
                nearest = difflib.get_close_matches(file.name, ours, n=1)
                meant = f"; the nearest is {nearest[0]}" if nearest else ""
                raise TemplateUnusable(f"{file} is no mail template{meant}.")
            if not file.name.startswith(".") and not (file.name.startswith("_") and file.is_dir()):
                require_readable(file)

    def _require_given(self, template: str, known: set[str]) -> None:
        """Also where no example leads."""
        file = self._file(template)
        try:
            tree = self._environment.parse(text_of(file), filename=str(file))
            named = meta.find_undeclared_variables(tree)
        except TemplateSyntaxError as error:
            raise unusable(str(file), error.lineno, error.message) from error
        for name in sorted(named - known - _own_names(tree) - {*self._environment.globals}):
            line = next(one.lineno for one in tree.find_all(nodes.Name) if one.name == name)
            raise unusable(str(file), line, f"there is no {name!r}, only {', '.join(sorted(known))}")

    def _require_written(self, values: MailValues, within: float) -> None:
        sender, at = Mailbox("", "no-reply@example.com"), datetime(2026, 3, 14, tzinfo=UTC)
        try:
            with _cut_off(within):
                mail = self.written(values, name="preview", sender=sender, recipient="bo@example.com", at=at)
        except TemplateUnusable:
            raise
        except LastingRefusal as refusal:
            part = refusal.reason.rpartition(": ")[2]
            file = self._file(values.kind + _PARTS.get(part, _PARTS["text"]))
            raise unusable(str(file), None, f"what it makes {refusal.reason}") from refusal
        except TemplateNotFound as error:
            raise unusable(*self._where(error, values), f"there is no {error.message}") from error
        except TemplateSyntaxError as error:
            raise unusable(error.filename or values.kind, error.lineno, error.message) from error
        except Exception as error:
            raise unusable(*self._where(error, values), str(error) or type(error).__name__) from error
        for name, link in links_needed(values).items():
            self._require_said(name, link in mail.text, values.kind + _PARTS["text"])
            pages = (values.kind + _PARTS["HTML"], "layout.html", "_button.html")
            self._require_said(name, escape(link) in mail.html, *pages)

    def _require_said(self, name: str, said: bool, *templates: str) -> None:
        """It is of no use to whoever gets it without. Of these templates one of the operator's has left it out."""
        if not said:
            files = [self._file(one) for one in templates]
            file = next((one for one in files if one.parent == self._folders[0]), files[0])
            raise unusable(str(file), None, f"what it makes does not say {{{{ {name} }}}}")

    def _where(self, error: BaseException, values: MailValues) -> tuple[str, int | None]:
        """The innermost line of a template that it came from."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if any(Path(frame.filename).parent == folder for folder in self._folders):
                return frame.filename, frame.lineno
        return str(self._file(values.kind + _PARTS["text"])), None

    def _file(self, template: str) -> Path:
        return next((one / template for one in self._folders if (one / template).exists()), _OURS / template)


@contextmanager
def _cut_off(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in what goes on for longer. Only a process's first thread can be told; others wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def tell(_number: int, _frame: object) -> None:
        raise TimeoutError("it is not done writing, as if it never would be")

    before = signal.signal(signal.SIGALRM, tell)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _own_names(tree: nodes.Template) -> set[str]:
    """What a template calls something itself: what it imports or sets is known in its blocks too."""
    stored = {one.name for one in tree.find_all(nodes.Name) if one.ctx != "load"}
    imported = {
        name if isinstance(name, str) else name[1] for one in tree.find_all(nodes.FromImport) for name in one.names
    }
    return stored | imported | {one.target for one in tree.find_all(nodes.Import)}
