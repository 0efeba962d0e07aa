"""Commands about accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.email_address import canonical
from domain.ids import new_id
from domain.password_strength import Familiar
from domain.pictures import Picture
from domain.refusals import EmailTaken, MalformedEmail, SignUpByInvitationOnly, SubjectGone
from domain.session import Way
from domain.store import Addition, Subject
from domain.store.conflicts import retry_on_conflict
from domain.store.credentials import first_credentials
from domain.store.envelope import WhereFrom
from domain.store.rows import Write
from domain.user import User

from .context import Context, EmailVerification, hashed_once
from .lookups import Person
from .mailed_link import verification
from .organization import personal_organization
from .pictures import ToShow, Wanted, shown
from .principal import (
    Operator,
    PersonByKey,
    PersonBySession,
    PersonWithoutSession,
    load_by_session,
    load_principal,
    record_of,
)
from .received_invitation import JoiningByInvitation, invited_by, joining
from .session import SignedIn, new_session


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAccount:
    """An account was opened, as far as who asked can tell. `token` is the secret of the session it began with.

    None lets nobody in until the address is verified; the person is made up then if there is an account already
    (`taken`), and nothing happened.
    """

    person: Person
    token: str | None = field(default=None, repr=False)
    taken: bool = False

    @property
    def session(self) -> SignedIn:
        """The device that was signed in. Asked of an account that lets somebody in."""
        assert self.token is not None, "nobody is let in yet"
        return SignedIn(person=self.person, token=self.token)


@hashed_once
@retry_on_conflict
def sign_up(
    context: Context,
    *,
    email: str,
    name: str,
    image: Wanted,
    password: str,
    remembered: bool,
    link: str | None = None,
    callback_url: str = "",
    admitted: Callable[[str], bool] = lambda _address: True,
    now: datetime,
    where_from: WhereFrom,
) -> NewAccount:
    """Open an account and sign the device in, in one commit with what it belongs to (wire.md A4, §12).

    That is the organization an invitation's `link` leads to, else one of its own. Where the settings want the address
    verified first, and the link did not come by mail, no device is signed in and nobody is told whether there is an
    account already; an invitation must be good then, and waits to be accepted. The link that verifies the address leads
    to `callback_url`; it is not sent to an address that may not get one more message (`admitted`), and can be asked for
    later.

    Raises MalformedEmail, PasswordTooShort, PasswordTooLong, PasswordCompromised, SignUpByInvitationOnly, EmailTaken,
    PictureNotKept,
    HashingBusy, Conflict; with a link as `domain.commands.received_invitation.accept`. No account is opened then.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    context.passwords.require_length(password)
    if link is None and not context.rules.open_sign_up:
        raise SignUpByInvitationOnly
    owner, email_hash = context.store.new_subject(new_id()), context.keyring.email_hash(address)
    entered = None
    if link is not None:
        found = context.store.find(*invited_by(context, link))
        entered = joining(context, found, user_id=owner.subject_id, email_hash=email_hash, belongs=False, now=now)
    joined = None if entered is None else context.lookups.facts(entered.organization_id)
    # before the address is looked up: whether it is taken changes nothing about this answer
    context.passwords.require_worthy(
        password, Familiar(email=address, name=name, organization=None if joined is None else joined.name)
    )
    proved = link is not None and context.keyring.went_by_mail(link)
    hiding = context.rules.email_verification is EmailVerification.REQUIRED and not proved
    if hiding:
        # who invited would see by it whether there was an account already, and a stranger in the organization
        entered = None
    taken = context.lookups.email_claimed(email_hash, now=now)
    if taken and not hiding:
        raise EmailTaken
    showing = shown(context, owner, image)
    person = Person(
        user_id=owner.subject_id,
        email=address,
        name=name,
        image=showing.url,
        email_verified=proved,
        created_at=now,
        updated_at=now,
    )
    opening = _Opening(person=person, owner=owner, entered=entered, showing=showing, email_hash=email_hash)
    # as much work for an account that there is
    password_hash = context.passwords.hash(password)
    # whether a picture is kept could be looked up
    told = replace(person, image=None) if hiding and isinstance(image, Picture) else person
    if taken:
        return NewAccount(person=told, taken=True)
    try:
        token = opening.append(
            context,
            password_hash=password_hash,
            verified_at=callback_url,
            admitted=admitted,
            remembered=None if hiding else remembered,
            where_from=where_from,
        )
    except EmailTaken:
        # by somebody a moment ago
        if not hiding:
            raise
        return NewAccount(person=told, taken=True)
    return NewAccount(person=told, token=token)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opening:
    """An account that may be opened: whose, with which key, and what an invitation leads to, if there is one."""

    person: Person
    owner: Subject
    entered: JoiningByInvitation | None
    showing: ToShow
    email_hash: bytes

    def append(
        self,
        context: Context,
        *,
        password_hash: str,
        verified_at: str,
        admitted: Callable[[str], bool],
        remembered: bool | None,
        where_from: WhereFrom,
    ) -> str | None:
        """Open it, with a session whose secret is returned; without one if it is not said whether it is remembered.

        Raises EmailTaken, StreamMovedOn.
        """
        person, entered, now = self.person, self.entered, self.person.created_at
        assert person.email is not None
        if entered is None:
            founded = personal_organization(context.keyring, person.user_id, name=person.name or "", email=person.email)
            organization_id, belonging = founded
        else:
            organization_id, belonging = entered.organization_id, entered.additions
        principal: PersonBySession | PersonWithoutSession
        token, started = None, list[Addition]()
        if remembered is None:
            principal = PersonWithoutSession(user_id=person.user_id, at=now, where_from=where_from)
        else:
            session_id, token, beginning = new_session(
                context,
                user_id=person.user_id,
                epoch=0,
                way=Way.PASSWORD,
                remembered=remembered,
                organization_id=organization_id,
                now=now,
            )
            principal = PersonBySession(user_id=person.user_id, session_id=session_id, at=now, where_from=where_from)
            started.append(beginning)
        record = record_of(principal)
        context.store.append(
            record,
            self.owner,
            self._account(),
            *belonging,
            *started,
            *self._verifying(context, record.command_id, verified_at, admitted),
            guards=[] if entered is None else entered.guards,
            writes=[
                first_credentials(person.user_id, password_version=1, password_hash=password_hash),
                *self.showing.writes,
            ],
        )
        return token

    def _account(self) -> Addition:
        person = self.person
        assert person.email is not None
        assert person.name is not None
        events = User.sign_up(
            email=person.email,
            name=person.name,
            image=person.image,
            email_hash=self.email_hash,
            verified=person.email_verified,
        )
        return Addition(person.user_id, 0, events, self.owner)

    def _verifying(
        self, context: Context, command_id: UUID, callback_url: str, admitted: Callable[[str], bool]
    ) -> list[Addition]:
        """What has the link sent that verifies the address, where the settings want that and it is not proved.

        Whether one may go is asked last: what is not sent is not counted.
        """
        if self.person.email_verified or context.rules.email_verification is EmailVerification.OFF:
            return []
        assert self.person.email is not None
        if not admitted(self.person.email):
            return []
        return [
            verification(
                context,
                command_id,
                None,
                self.owner,
                email_hash=self.email_hash,
                callback_url=callback_url,
                now=self.person.created_at,
            )
        ]


@hashed_once
@retry_on_conflict
def create_user(context: Context, *, email: str, name: str, password: str, now: datetime) -> UUID:
    """Open an account for somebody, with an organization of their own, signed in nowhere; their user id.

    What the operator does, whoever may sign up. Raises MalformedEmail, PasswordTooShort, PasswordTooLong,
    PasswordCompromised, EmailTaken, HashingBusy, Conflict.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    context.passwords.require_worthy(password, Familiar(email=address, name=name))
    email_hash = context.keyring.email_hash(address)
    if context.lookups.email_claimed(email_hash, now=now):
        raise EmailTaken
    owner = context.store.new_subject(new_id())
    _, belonging = personal_organization(context.keyring, owner.subject_id, name=name, email=address)
    signed_up = User.sign_up(email=address, name=name, image=None, email_hash=email_hash)
    context.store.append(
        record_of(Operator(at=now)),
        None,
        Addition(owner.subject_id, 0, signed_up, owner),
        *belonging,
        writes=[
            first_credentials(owner.subject_id, password_version=1, password_hash=context.passwords.hash(password))
        ],
    )
    return owner.subject_id


@retry_on_conflict
def update_user(context: Context, principal: PersonBySession | PersonByKey, *, name: str | None, image: Wanted) -> bool:
    """Change a person's name or image, whichever is given; an empty image takes theirs away.

    Whether anything is different now. A picture that was kept and is shown no more is gone. Raises PictureNotKept,
    ScopeMissing, SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_principal(context, principal)
    loaded.require_whole()
    user = loaded.user
    account = context.lookups.account(user.stream_id)
    if account is None:
        raise SubjectGone
    changed, writes = [] if name is None else user.state.rename(name, before=account.person.name), list[Write]()
    if image is not None:
        showing = shown(context, loaded.subject, image, before=account.person.image)
        if shows_another := user.state.show(showing.url, before=showing.before):
            changed, writes = changed + shows_another, showing.writes
    return context.store.append(
        record_of(principal),
        loaded.subject,
        user.with_events(changed, loaded.subject),
        guards=loaded.guards,
        writes=writes,
    )


@retry_on_conflict
def choose_language(context: Context, principal: PersonBySession, *, language: str, before: str | None) -> bool:
    """Have pages in this language (BCP 47) on all devices; whether it was another one `before`.

    Raises SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    chosen = loaded.user.state.read_in(language, before=before)
    return context.store.append(
        record_of(principal), loaded.subject, loaded.user.with_events(chosen, loaded.subject), guards=loaded.guards
    )
