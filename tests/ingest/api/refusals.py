"""The bodies of refusals, in Lago's shapes."""


def refused(response):
    """The `error_details` of a 422; everything around them is checked here."""
    body = response.json()
    details = body.pop("error_details")
    assert (response.status_code, response["Content-Type"]) == (422, "application/json")
    assert body == {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors"}
    return details
