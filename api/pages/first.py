"""What has to come before a form does what it is for: signing in again, or confirming that it is still you."""

from __future__ import annotations

from starlette.responses import Response

from api.acts.passwords import confirm_password
from domain.refusals import Refusal, SessionOver, SubjectGone

from .kept import CONFIRMATION, Kept
from .refusals import problems_of
from .visit import SignInFirst, Visit


class WrongConfirmation(Exception):
    """Somebody did not prove that it is them."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def confirmed(visit: Visit, password: str) -> None:
    """Prove that it is you. Raises WrongConfirmation, SignInFirst."""
    current = visit.require_person()
    try:
        confirm_password(current, password)
    except (SessionOver, SubjectGone):
        raise SignInFirst from None
    except Refusal as refused:
        raise WrongConfirmation(refused) from None


def sign_in_first(visit: Visit, kept: Kept) -> Response:
    """The sign-in, with what was about to be sent. It is sent by who is signed in then, and only when they say so."""
    return visit.page(
        "sign_in.html",
        status=401,
        form={"email": "", "remember": "on", "next": "", "kept_for": kept.path, "kept": kept.text},
        over=True,
        problems={},
        open_sign_up=False,
        sends_mail=visit.services.settings.sends_mail,
        narrow=True,
    )


def confirm_first(visit: Visit, kept: Kept, refused: Exception) -> Response:
    """The page that asks for the password, and then does what was asked for."""
    problems = dict[str, str]()
    if isinstance(refused, WrongConfirmation):
        problems = problems_of(refused.refusal, visit.wording, names={"current_password": CONFIRMATION})
    return visit.page("confirm.html", status=403, kept=kept, problems=problems, narrow=True)
