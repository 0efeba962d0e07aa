"""What has to come before a form does what it is for: signing in again, or confirming that it is still you."""

from __future__ import annotations

from starlette.responses import Response

from api.acts.passwords import confirm_password
from domain.refusals import Refusal, SessionOver, SubjectGone

from .kept import CONFIRMATION, Kept
from .page_caller import PageCaller, SignInFirst


class WrongConfirmation(Exception):
    """Somebody did not prove that it is them."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def confirmed(caller: PageCaller, password: str) -> None:
    """Prove that it is you. Raises WrongConfirmation, SignInFirst."""
    current = caller.require_person()
    try:
        confirm_password(current, password)
    except (SessionOver, SubjectGone):
        raise SignInFirst from None
    except Refusal as refused:
        raise WrongConfirmation(refused) from None


def sign_in_first(caller: PageCaller, kept: Kept) -> Response:
    """The sign-in, with what was about to be sent. It is sent by who is signed in then, and only when they say so.

    Passwords are not kept: a form that had some leads back to its page.
    """
    waiting = {"kept_for": kept.path, "kept": kept.text} if kept.whole else {"next": caller.shown_at}
    return caller.page(
        "sign_in.html",
        status=401,
        form={"email": "", "remember": "on", "next": "", "kept_for": "", "kept": "", **waiting},
        over=True,
        passwords_lost=not kept.whole,
        problems={},
        open_sign_up=False,
        sends_mail=caller.services.settings.sends_mail,
        narrow=True,
    )


def confirm_first(caller: PageCaller, kept: Kept, refused: Exception) -> Response:
    """The page that asks for the password, and then does what was asked for."""
    problems = dict[str, str]()
    if isinstance(refused, WrongConfirmation):
        problems = caller.problems_of(refused.refusal, names={"current_password": CONFIRMATION})
    return caller.page("confirm.html", status=403, kept=kept, problems=problems, narrow=True)
