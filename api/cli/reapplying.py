"""Erasing again who is there again, in a database that was restored from an older backup."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from api.edge.limiting.of_a_person import counters_of
from domain import erasure_certificate
from domain.clock import now
from domain.commands.context import Context
from domain.commands.erasure import erase_person, forget_invitations
from domain.commands.principal import Operator
from domain.erasure_certificate import NoCertificate
from domain.refusals import LastOwner, SubjectGone
from domain.store.erasures import keep_from_before


class Exported(NamedTuple):
    """Somebody who was erased, with the certificate of it, and the keyed hashes of the addresses they had."""

    user_id: UUID
    erased_at: datetime
    certificate: str
    email_hashes: list[bytes]


def reapply(context: Context, lines: Sequence[dict[str, Any]], *, closing: bool) -> Counter[str]:
    """Erase again who is there, and end invitations to who is not there yet; how many of each.

    `erased` were there, `absent` not or not any more, `refused` are the only owners of what others belong to. All lines
    are checked before anything is done, and kept before anybody is erased: whom this backup does not know another one
    does, and its next export names all of them. Raises NoCertificate.
    """
    exported = [_exported(context, line) for line in lines]
    told = Counter(erased=0, absent=0, refused=0, invitations=0)
    for one in exported:
        keep_from_before(
            context.store.statements, one.user_id, certificate=one.certificate, email_hashes=one.email_hashes
        )
    for one in exported:
        try:
            erase_person(
                context,
                Operator(at=now()),
                user_id=one.user_id,
                counters=partial(counters_of, context.keyring),
                closing=closing,
                certificate=one.certificate,
                # of those that the backup does not know it is not said when they were given up
                email_hashes=dict.fromkeys(one.email_hashes, one.erased_at),
            )
            told["erased"] += 1
        except SubjectGone:
            told["absent"] += 1
            told["invitations"] += forget_invitations(
                context,
                Operator(at=now()),
                user_id=one.user_id,
                email_hashes=one.email_hashes,
                erased_at=one.erased_at,
            )
        except LastOwner:
            told["refused"] += 1
    return told


def _exported(context: Context, line: dict[str, Any]) -> Exported:
    try:
        certificate, hashes = json.dumps(line["certificate"]), [bytes.fromhex(one) for one in line["addresses"]]
    except (KeyError, TypeError, ValueError):
        raise NoCertificate from None
    said = erasure_certificate.check(certificate, erasure_certificate.public_key(context.keyring))
    return Exported(said.user_id, said.erased_at, certificate, hashes)
