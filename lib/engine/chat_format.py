"""`response_format`: the form that an answer is asked for, from the request to what the answering process is told.

Source: OpenAI's OpenAPI document of 2026-08-21. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.protocol import invalid
from lib.engine.strict_schema import objection

Object = dict[str, Any]
# The form of names that OpenAI takes for schemas and functions.
Name = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class JsonSchema(Struct):
    name: Name
    description: str | UnsetType = UNSET
    schema: Object | UnsetType = UNSET
    strict: bool | None = None


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    json_schema: JsonSchema


ResponseFormat = TextFormat | JsonObjectFormat | JsonSchemaFormat


def json_asked(
    asked: ResponseFormat | UnsetType, messages: Iterable[Mapping[str, Any]], *, where: str = "response_format"
) -> Object | None:
    """The JSON that an answer must be (name, schema, strict), None for any text. `where` is its name there.

    Raises Rejected for a schema that OpenAI's strict mode does not take, and for JSON of any shape that no message
    speaks of: OpenAI refuses it, since a model that is not told writes blanks for ever.
    """
    if isinstance(asked, JsonObjectFormat):
        if not any("json" in str(message.get("content", "")).lower() for message in messages):
            raise invalid(
                "messages",
                f"'messages' must contain the word 'json' in some form, to use '{where}' of type 'json_object'.",
            )
        return {"name": "json_object", "schema": {"type": "object"}, "strict": True}
    if not isinstance(asked, JsonSchemaFormat):
        return None
    given = asked.json_schema
    if given.schema is UNSET:
        place = "response_format.json_schema.schema"
        raise invalid(place, f"Missing required parameter: '{place}'.", code="missing_required_parameter")
    wrong = objection(given.schema, strict=bool(given.strict))
    if wrong is not None:
        raise invalid("response_format", f"Invalid schema for response_format '{given.name}': {wrong}")
    return {"name": given.name, "schema": given.schema, "strict": bool(given.strict)}
