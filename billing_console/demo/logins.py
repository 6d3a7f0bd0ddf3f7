"""The people of the demo, each with a login."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    """One demo user; the password is no secret, since the demo listens on this machine alone."""

    username: str
    full_name: str
    groups: tuple[str, ...]

    @property
    def password(self) -> str:
        """The password, made from the name."""
        return f"{self.username}-demo"


LOGINS = (
    Login("finance", "Fiona Laurier", ("finance",)),
    Login("manager", "Marc Tremblay", ("manager",)),
    Login("manager2", "Maya Singh", ("manager",)),
    Login("operator", "Oscar Chen", ("operator",)),
    Login("auditor", "Audrey Roy", ("auditor",)),
)
