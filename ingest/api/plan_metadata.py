"""/plans/{code}/metadata: what a service notes of a plan (Lago: metadata)."""

from collections.abc import Mapping

import msgspec
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_object
from ingest.api.openapi import describe
from ingest.api.parsing import decode_root
from ingest.api.plans import find_plan
from ingest.api.view import ApiView
from ingest.inputs.plans import MOST_METADATA, MetadataField
from ingest.plan_metadata import Metadata, delete_metadata_key, merge_metadata, replace_metadata

REFUSALS: Mapping[str, ApiError] = {
    "unknown_plan": ApiError(404, code="plan_not_found"),
    "unknown_metadata": ApiError(404, code="metadata_not_found"),
    "too_many_keys": refuse_fields({"metadata": ["value_is_invalid"]}),
}


class MetadataAnswer(msgspec.Struct):
    """All that is noted; null is nothing."""

    metadata: dict[str, str | None] | None


class MetadataInput(serializers.Serializer):
    """What is to be noted."""

    metadata = MetadataField()


class PlanMetadataView(ApiView):
    """All that is noted of a plan."""

    resource = "plan"

    @describe(
        "replace_plan_metadata",
        "Note something else of a plan",
        tag="plans",
        takes={"metadata": MetadataField(required=False)},
        answer=MetadataAnswer,
        refuses=(404,),
    )
    def post(self, request: Request, plan_code: str) -> Response:
        """Keeps what is given instead of what was noted; nothing given changes nothing."""
        plan = find_plan(self.caller.service_id, plan_code)
        given = self._read()
        if given is None:
            return _answer(plan.metadata)
        with self.refusing(REFUSALS):
            return _answer(replace_metadata(plan=plan, values=given, rule=self.caller.rule))

    @describe(
        "merge_plan_metadata",
        "Note something more of a plan",
        tag="plans",
        takes={"metadata": MetadataField(required=False)},
        answer=MetadataAnswer,
        refuses=(404,),
    )
    def patch(self, request: Request, plan_code: str) -> Response:
        """Keeps what is given beside what was noted under other keys."""
        plan = find_plan(self.caller.service_id, plan_code)
        given = self._read() or {}
        with self.refusing(REFUSALS):
            kept = merge_metadata(plan=plan, values=given, rule=self.caller.rule, most=MOST_METADATA)
        return _answer(kept)

    @describe(
        "delete_plan_metadata",
        "Forget what is noted of a plan",
        tag="plans",
        answer=MetadataAnswer,
        refuses=(404,),
    )
    def delete(self, request: Request, plan_code: str) -> Response:
        """Forgets all of it."""
        plan = find_plan(self.caller.service_id, plan_code)
        with self.refusing(REFUSALS):
            return _answer(replace_metadata(plan=plan, values=None, rule=self.caller.rule))

    def _read(self) -> Metadata | None:
        """What is given, with its nulls, which are kept; None where nothing is."""
        raw = decode_root(self.body).get("metadata")
        if raw is None or bytes(raw) == b"null":
            return None
        given: Metadata = read_object(raw, root="metadata", serializer=MetadataInput)["metadata"]
        return given


class PlanMetadataKeyView(ApiView):
    """What is noted of a plan under one key."""

    resource = "plan"

    @describe(
        "delete_plan_metadata_key",
        "Forget one thing that is noted of a plan",
        tag="plans",
        answer=MetadataAnswer,
        refuses=(404,),
    )
    def delete(self, request: Request, plan_code: str, key: str) -> Response:
        """Forgets it; the rest stays."""
        plan = find_plan(self.caller.service_id, plan_code)
        with self.refusing(REFUSALS):
            return _answer(delete_metadata_key(plan=plan, key=key, rule=self.caller.rule))


def _answer(metadata: Metadata | None) -> Response:
    return Response({"metadata": metadata})
