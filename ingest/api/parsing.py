"""Request bodies, as bytes: Lago's clients mean JSON whatever their content type says."""

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest

from ingest.api.errors import refuse_body


def read_body(request: WSGIRequest) -> bytes:
    """The whole body; one over DATA_UPLOAD_MAX_MEMORY_SIZE raises RequestDataTooBig and is not kept."""
    if "HTTP_TRANSFER_ENCODING" not in request.META or not request.environ.get("wsgi.input_terminated"):
        return request.body
    # Django takes a body whose length is not declared for an empty one.
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = request.environ["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        raise RequestDataTooBig
    return body


def decode_root(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of the body's object, not yet decoded.

    Raises ApiError: 400 for what is no JSON object, or is deeper than a thousand levels.
    """
    try:
        body.decode()  # raw members are copied through as they are: they must be UTF-8
        return _ROOT.decode(body)
    except msgspec.ValidationError as error:
        raise refuse_body("the body is not a JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refuse_body(str(error)) from error
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error


_ROOT = msgspec.json.Decoder(dict[str, msgspec.Raw])
