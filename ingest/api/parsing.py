"""Request bodies, as bytes: Lago's clients mean JSON whatever their content type says."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest


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
