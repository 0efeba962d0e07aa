"""Commands about accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.email_address import canonical
from domain.ids import new_id
from domain.password_strength import Familiar
from domain.refusals import EmailTaken, MalformedEmail, SignUpByInvitationOnly, SubjectGone
from domain.session import Way
from domain.store import Addition
from domain.store.conflicts import retry_on_conflict
from domain.store.credentials import first_credentials
from domain.store.envelope import WhereFrom
from domain.store.rows import Write
from domain.user import User

from .context import Context, hashed_once
from .lookups import Person
from .organization import personal_organization
from .pictures import Wanted, shown
from .principal import Operator, PersonBySession, load_by_session, record_of
from .received_invitation import invited_by, joining
from .session import SignedIn, new_session


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
    now: datetime,
    where_from: WhereFrom,
) -> SignedIn:
    """Open an account and sign the device in, in one commit with what it belongs to (wire.md A4, §12).

    That is the organization an invitation's `link` leads to, else one of its own. Raises MalformedEmail,
    PasswordTooShort, PasswordTooLong, PasswordCompromised, SignUpByInvitationOnly, EmailTaken, PictureNotKept,
    HashingBusy, Conflict; with a link as `domain.commands.received_invitation.accept`. No account is opened then.
    """
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    context.passwords.require_length(password)
    if link is None and not context.rules.open_sign_up:
        raise SignUpByInvitationOnly
    email_hash = context.keyring.email_hash(address)
    owner = context.store.new_subject(new_id())
    user_id = owner.subject_id
    entered = None
    if link is not None:
        found = context.store.find(*invited_by(context, link))
        entered = joining(context, found, user_id=user_id, email_hash=email_hash, belongs=False, now=now)
    joined = None if entered is None else context.lookups.facts(entered.organization_id)
    # before the address is looked up: whether it is taken changes nothing about this answer
    context.passwords.require_worthy(
        password, Familiar(email=address, name=name, organization=None if joined is None else joined.name)
    )
    if context.lookups.email_known(email_hash):
        raise EmailTaken
    showing = shown(context, owner, image)
    password_hash = context.passwords.hash(password)

    signed_up = User.sign_up(email=address, name=name, image=showing.url, email_hash=email_hash)
    if entered is None:
        organization_id, belonging = personal_organization(context.keyring, user_id, name=name, email=address)
    else:
        organization_id, belonging = entered.organization_id, entered.additions
    session_id, token, started = new_session(
        context,
        user_id=user_id,
        epoch=0,
        way=Way.PASSWORD,
        remembered=remembered,
        organization_id=organization_id,
        now=now,
    )
    context.store.append(
        record_of(PersonBySession(user_id=user_id, session_id=session_id, at=now, where_from=where_from)),
        owner,
        Addition(user_id, 0, signed_up, owner),
        *belonging,
        started,
        guards=[] if entered is None else entered.guards,
        writes=[first_credentials(user_id, password_version=1, password_hash=password_hash), *showing.writes],
    )
    person = Person(
        user_id=user_id,
        email=address,
        name=name,
        image=showing.url,
        email_verified=False,
        created_at=now,
        updated_at=now,
    )
    return SignedIn(person=person, token=token)


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
    if context.lookups.email_known(email_hash):
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
def update_user(context: Context, principal: PersonBySession, *, name: str | None, image: Wanted) -> bool:
    """Change a person's name or image, whichever is given; an empty image takes theirs away.

    Whether anything is different now. A picture that was kept and is shown no more is gone. Raises PictureNotKept,
    SessionOver, SubjectGone, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
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
