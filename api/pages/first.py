"""What has to come before a form does what it is for: signing in again, confirming that it is still you, or saying that
you mean it though the form is somebody else's.
"""

from __future__ import annotations

from starlette.responses import Response

from api.acts.passwords import confirm_password
from api.edge.problems import Problem
from domain.refusals import Refusal, SessionOver, SubjectGone, TooManyAttempts

from .kept import CONFIRMATION, Kept
from .page_caller import HOME, PageCaller, SignInFirst, see_other
from .wording import marked as _

SESSION_ENDED = _("Your session ended. Sign in again; nothing was lost.")
_PASSWORDS_LOST = _(
    "Your session ended. Sign in again, and enter once more what you entered: passwords are kept nowhere."
)
_TOO_LONG = _(
    "Your session ended. Sign in again, and enter once more what you entered: there was too much of it to be kept."
)


class WrongConfirmation(Exception):
    """Somebody did not prove that it is them."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class MadeForAnother(Exception):
    """A form says that it was made for somebody else than who is signed in now."""


def require_theirs(caller: PageCaller, kept: Kept) -> None:
    """A page that is left open does nothing for who signed in after it was made. Raises MadeForAnother."""
    session = caller.presented.session
    if session is not None and kept.is_anothers(session.user_id):
        raise MadeForAnother


async def count_confirmation(caller: PageCaller) -> None:
    """Count it where the API counts that somebody confirms their password, whichever form it comes with: a few in ten
    seconds from one address. Raises WrongConfirmation.
    """
    services, request = caller.services, caller.request
    if services.limits.on:
        try:
            await services.limits.count_request(request.where_from.ip_address, "/verify-password", routed=True)
        except TooManyAttempts as refused:
            raise WrongConfirmation(refused) from None


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

    Passwords are not kept: a form that had some leads back to its page, and so does one that is too long.
    """
    waiting = {"kept_for": kept.path, "kept": kept.text} if kept.whole else {"next": caller.shown_at}
    said = SESSION_ENDED if kept.whole else _PASSWORDS_LOST if kept.secret else _TOO_LONG
    return caller.page(
        "sign_in.html",
        status=401,
        form={"email": "", "remember": "on", "next": "", "kept_for": "", "kept": "", **waiting},
        over=caller.text(said),
        problems={},
        open_sign_up=False,
        sends_mail=caller.services.settings.sends_mail,
        narrow=True,
    )


def confirm_first(caller: PageCaller, kept: Kept, refused: Exception) -> Response:
    """The page that asks for the password, and then does what was asked for.

    Raises Problem for a form that could not be sent with it.
    """
    if not kept.fits_again:
        raise Problem(413)
    problems = dict[str, str]()
    if isinstance(refused, WrongConfirmation):
        problems = caller.problems_of(refused.refusal, names={"current_password": CONFIRMATION})
    return caller.page("confirm.html", status=403, kept=kept, problems=problems, narrow=True)


def send_kept(caller: PageCaller, kept: Kept, *, status: int = 200) -> Response:
    """Asks who is signed in whether to send what is kept, by a form that is theirs then.

    Where it was somebody else's it says so, and leads to the sign-in as that one, with what is kept if that may be.
    """
    session = caller.presented.session
    back = caller.shown_at or HOME
    waiting = (
        {"kept_for": kept.path, "kept": kept.text}
        if kept.whole
        else {"next": see_other("/sign-in", next=back, done="signed-out").headers["location"]}
    )
    return caller.page(
        "send_kept.html",
        status=status,
        kept=kept,
        of_another=session is not None and kept.is_anothers(session.user_id),
        back=back,
        waiting=waiting,
        narrow=True,
    )
