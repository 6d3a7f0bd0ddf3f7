"""The demo's logins as users: staff in their groups, nobody a superuser."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from billing_console.demo.logins import LOGINS, Login


@transaction.atomic
def create_people() -> dict[str, User]:
    """Creates the users that are missing and returns all by name; one that is there keeps its password."""
    return {login.username: _create_person(login) for login in LOGINS}


def _create_person(login: Login) -> User:
    user = User.objects.filter(username=login.username).first()
    if user is not None:
        return user
    first_name, _, last_name = login.full_name.partition(" ")
    user = User.objects.create_user(
        login.username,
        f"{login.username}@nexa.example",
        login.password,
        first_name=first_name,
        last_name=last_name,
        is_staff=True,
    )
    user.groups.set(Group.objects.filter(name__in=login.groups))
    return user
