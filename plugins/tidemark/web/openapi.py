"""What the OpenAPI document says of the routes beyond their names."""

from typing import Any


def _answers(*statuses: tuple[int, str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "success": {"type": "boolean"},
            "messageId": {"type": "string", "format": "uuid"},
            "error": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
        "required": ["success", "timestamp"],
    }
    content = {"application/json": {"schema": schema}}
    return {str(status): {"description": what, "content": content} for status, what in statuses}


EVENT: dict[str, Any] = {
    # Declared here and not in the function: FastAPI would take longer over it than we do in all.
    "parameters": [{"name": "queue", "in": "path", "required": True, "schema": {"type": "string"}}],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
    "responses": _answers(
        (200, "the event is kept"),
        (401, "token or signature missing or wrong"),
        (403, "the address may not send"),
        (404, "no such queue"),
        (408, "the body took too long"),
        (413, "the body is too large"),
        (415, "not JSON in UTF-8, or compressed"),
        (422, "no JSON object, or too deep, or too many keys"),
        (429, "too many events; send again later"),
        (503, "cannot be kept now; send again later"),
    ),
}
_HEALTH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "degraded", "down"]},
        "timestamp": {"type": "string", "format": "date-time"},
        "consumer": {"enum": ["enabled", "disabled"]},
        "queues": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "status": {"enum": ["ok", "degraded", "down"]},
                    "depth": {
                        "type": ["object", "null"],
                        "description": "messages waiting, in_flight, delayed: about",
                    },
                    "queue_oldest_age_seconds": {
                        "type": ["number", "null"],
                        "description": "of the queue, some minutes ago, as CloudWatch tells it; "
                        "null where it is not asked, or has not told",
                    },
                    "spool_bytes": {"type": "integer"},
                    "oldest_age_seconds": {"type": "number", "description": "of the spool"},
                    "targets": {
                        "type": ["object", "null"],
                        "description": "by target, as_of: up to when it has the events, and "
                        "lag_seconds; null where it is not asked, or not known",
                    },
                },
            },
        },
    },
    "required": ["status", "timestamp"],
}
HEALTH: dict[str, Any] = {
    "responses": {
        str(status): {
            "description": what,
            "content": {"application/json": {"schema": _HEALTH}},
        }
        for status, what in ((200, "events can be taken"), (503, "events cannot be taken now"))
    }
}
