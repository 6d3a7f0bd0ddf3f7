"""The five services of the demo, one module each; NexaCloud's story is read from its real rows."""

from collections.abc import Sequence

from billing_console.demo.services import nexacloud
from billing_console.demo.services.custom import CUSTOM
from billing_console.demo.services.memberships import MEMBERSHIPS
from billing_console.demo.services.nexadesk import NEXADESK
from billing_console.demo.services.nexamaps import NEXAMAPS
from billing_console.demo.terms import ServiceStory


def read_stories() -> Sequence[ServiceStory]:
    """All services, NexaCloud first: it is the first to be cut over."""
    return [nexacloud.read_story(), NEXADESK, NEXAMAPS, CUSTOM, MEMBERSHIPS]
