"""The transport to a mail server: one connection for as long as there is mail, and what its answers mean for a mail."""

from __future__ import annotations

import time

from api.smtp_url import SmtpServer

from .mail import Mail
from .smtp_session import Deadline, SmtpSession, SmtpTrouble
from .transport import LastingRefusal, TemporaryFailure

_KEPT_FOR = 10.0
"""Seconds without mail until the connection is given back."""
_AWAY_FOR = 5.0
"""Seconds in which a server that let nobody in is not asked again: as each mail that waits would."""
_OF_A_MAIL = ("MAIL", "RCPT", "DATA", "the content")
_TOO_LARGE = (452, 552)
"""Said at MAIL to a mail whose SIZE is too much, now or ever (RFC 1870 §6.1); all else there is about the sender, and
that is the same for each."""
_SIGN_IN_FIRST = (530, 534, 535, 538)
"""Whatever step it is said at, it is about who we are (RFC 4954 §6)."""
_LETS_NOBODY_IN = "The mail server lets us in no more"
_UNWANTED_SENDER = "The mail server takes no mail from our sender (see DAYBOOK_MAIL_FROM)"


class SmtpTransport:
    """Hands mail to one server. Used by one thread."""

    def __init__(self, server: SmtpServer, *, own_name: str, patience: float) -> None:
        """`own_name` is the domain we say hello with; `patience` the seconds for one mail, all steps together."""
        self._server, self._own_name, self._patience = server, own_name, patience
        self._session: SmtpSession | None = None
        self._used_at = 0.0
        self._away: SmtpTrouble | None = None
        self._away_until: Deadline = 0.0

    def deliver(self, message: Mail) -> None:
        """Raises LastingRefusal where the server wants none of it, and TemporaryFailure for everything else.

        Whether what was cut off at its end was taken, nobody knows: it is sent again, with the same Message-ID.
        """
        until = time.monotonic() + self._patience
        try:
            self._hand_over(message, until)
        except SmtpTrouble as trouble:
            if trouble.gone:
                self._discard()
            elif _keeps_all(trouble) and self._session is not None:
                # the next one would be told the same
                self.close()
                self._stay_away(trouble)
            raise _outcome(trouble) from None
        self._used_at = time.monotonic()

    def rest(self) -> None:
        """There is nothing to send at the moment: after a while of that the connection is given back."""
        if time.monotonic() - self._used_at > _KEPT_FOR:
            self.close()

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._session is not None:
            session, self._session = self._session, None
            session.say_goodbye()

    def _hand_over(self, message: Mail, until: Deadline) -> None:
        """By the connection there is; where that has died meanwhile, which says nothing of the mail, by a new one."""
        if self._session is not None:
            try:
                self._session.begin_anew(until)
                _send(self._session, message, until)
                return
            except SmtpTrouble as trouble:
                of_the_connection = trouble.gone or trouble.step == "RSET"
                if not of_the_connection or trouble.step == "the content":
                    raise
                self._discard()
        self._session = self._opened(until)
        _send(self._session, message, until)

    def _opened(self, until: Deadline) -> SmtpSession:
        if self._away is not None and time.monotonic() < self._away_until:
            raise SmtpTrouble(self._away.step, self._away.said, self._away.word)
        try:
            session = SmtpSession(self._server, self._own_name, until)
        except SmtpTrouble as trouble:
            self._stay_away(trouble)
            raise
        self._away = None
        return session

    def _stay_away(self, why: SmtpTrouble) -> None:
        self._away, self._away_until = why, time.monotonic() + _AWAY_FOR

    def _discard(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _send(session: SmtpSession, message: Mail, until: Deadline) -> None:
    content = message.content if session.takes_eight_bits else message.in_ascii
    session.hand_over(message.sender.address, message.recipient, content, until)


def _outcome(trouble: SmtpTrouble) -> LastingRefusal | TemporaryFailure:
    """What it means for the mail. What keeps all mail is the operator's to mend: it may wait."""
    lost = not trouble.said and trouble.step == "the content"
    reason = f"SMTP answer lost ({trouble.word})" if lost else f"SMTP {trouble}"
    keeps_all = _keeps_all(trouble)
    lasting = trouble.said >= 500 and not keeps_all
    return LastingRefusal(reason) if lasting else TemporaryFailure(reason, keeps_all)


def _keeps_all(trouble: SmtpTrouble) -> str:
    """In words of ours what keeps all mail, "" where it may be about this one alone."""
    if trouble.step not in _OF_A_MAIL or trouble.said in _SIGN_IN_FIRST:
        return _LETS_NOBODY_IN
    of_our_sender = trouble.step == "MAIL" and not trouble.gone and trouble.said not in _TOO_LARGE
    return _UNWANTED_SENDER if of_our_sender else ""
