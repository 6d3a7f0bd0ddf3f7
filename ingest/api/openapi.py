"""The OpenAPI document is made from what the API really reads and writes: input serializers and answer structs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from ingest.api.pagination import Meta

Answer = type[msgspec.Struct]

DETAILS = {"anyOf": [{"type": "object"}, {"type": "string"}]}
# What every call may answer.
ALWAYS = (400, 401, 403, 429, 500, 503)
OF_A_BODY = (413, 422)
PAGES = (
    OpenApiParameter("page", int, description="Counted from 1."),
    OpenApiParameter(
        "per_page", int, description="How many rows a page holds, at most 1,000; 100 unless told."
    ),
)


class Error(msgspec.Struct, omit_defaults=True):
    """Every answer that is not 200. `error_details` holds codes by field; for a batch by index and field."""

    status: int
    error: str
    code: str = ""
    error_details: dict[str, Any] | str = ""


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How a key is sent."""

    target_class = "ingest.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A service's API key."}


class StructSchema(OpenApiSerializerExtension):
    """An answer's struct describes itself: each of its fields is always there but for one that may be unset."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        # Structs that another one holds are registered beside it, under the same names.
        set_override(self.target, "suppress_collision_warning", True)
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        _, components = msgspec.json.schema_components(
            [self.target], ref_template="#/components/schemas/{name}"
        )
        for schema in components.values():
            if "properties" in schema and schema["title"] != Error.__name__:
                schema["required"] = [name for name in schema["properties"] if _is_there(schema, name)]
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(
                name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name
            )
            auto_schema.registry.register_on_missing(component)
        return own


def _is_there(schema: Mapping[str, Any], name: str) -> bool:
    """msgspec names a default for every field but one that is required or unset."""
    return name in schema.get("required", ()) or "default" in schema["properties"][name]


def envelop(root: str, answer: Any, name: str) -> Answer:
    """The struct of an answer under its root key."""
    return msgspec.defstruct(name, [(root, answer)], namespace={"__doc__": f"An answer's `{root}`."})


def list_of(root: str, answer: Answer, name: str) -> Answer:
    """The struct of one page of a list."""
    doc = {"__doc__": "One page of a list."}
    return msgspec.defstruct(name, [(root, list[answer]), ("meta", Meta)], namespace=doc)  # type: ignore[valid-type]


def describe(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    answer: Answer,
    takes: dict[str, serializers.Field] | None = None,
    query: Sequence[OpenApiParameter] = (),
    refuses: Sequence[int] = (),
    description: str | None = None,
    examples: Sequence[OpenApiExample] | None = None,
) -> Callable[[Any], Any]:
    """Describes one method of a view: the root key that it takes with its input, and all that it may answer."""
    name = "".join(word.capitalize() for word in operation_id.split("_"))
    body = inline_serializer(f"{name}Request", takes) if takes else None
    refused = (*ALWAYS, *(OF_A_BODY if takes else ()), *refuses)
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description or summary,
        tags=[tag],
        request=body,
        parameters=list(query),
        responses={200: answer, **dict.fromkeys(sorted(set(refused)), Error)},
        examples=examples,
    )
