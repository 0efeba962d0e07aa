"""Organizations (wire.md §10)."""

from __future__ import annotations

from fastapi import APIRouter

from api.edge.admission import Calling
from api.edge.answers import Answer
from projections.lists import organization_list

from . import shapes
from .documented import documented

router = APIRouter(prefix="/organization", tags=["organization"])


@router.get(
    "/list",
    summary="The organizations you belong to, in the order in which you joined",
    responses=documented(list[shapes.Organization], "UNAUTHORIZED", body=False),
)
def list_organizations(calling: Calling) -> Answer:
    session = calling.admitted()
    rows = organization_list.organizations_of(calling.daybook.context.store.statements, session.user_id)
    return Answer([shapes.organization(row) for row in rows])
