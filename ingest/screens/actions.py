"""The one way a button changes something: by POST, with CSRF and a permission, answered by a message."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from ingest.errors import DomainError

Action = Callable[[Any, HttpRequest, Any], str]


@dataclass(frozen=True, slots=True)
class Button:
    """A button on a row's page; `reason` is the question that it asks first, if any."""

    label: str
    icon: str
    address: str
    reason: str = ""
    is_optional: bool = False
    tone: str = "plain"


def post_action(permission: str) -> Callable[[Action], Callable[..., HttpResponse]]:
    """Makes a method of a screen answer `POST …/<id>/<method's name>/` for holders of `app.codename`.

    The library's own actions run on a plain GET, and are open to all unless told otherwise. The method calls
    one domain function, which asks for the permission again, and returns what to say; a refusal by the domain
    is shown as an error. Either way the row's page follows.
    """

    def decorate(method: Action) -> Callable[..., HttpResponse]:
        @wraps(method)
        def view(screen: Any, request: HttpRequest, object_id: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.has_perm(permission):
                raise PermissionDenied
            row = screen.get_object(request, str(object_id))
            if row is None:
                raise Http404
            say(request, lambda: method(screen, request, row))
            return HttpResponseRedirect(screen.keep_filters(request, screen.get_page_address(row)))

        view.permission = permission  # type: ignore[attr-defined]
        return view

    return decorate


def say(request: HttpRequest, decide: Callable[[], str]) -> bool:
    """Runs a decision and tells the person how it went; True when it was taken."""
    try:
        messages.success(request, decide())
    except DomainError as error:
        messages.error(request, error.message)
        return False
    return True


def person_of(request: HttpRequest) -> User:
    """Who looks at a screen: the admin lets nobody in who is not signed in."""
    return cast(User, request.user)


class PostActionsMixin:
    """Gives each method marked with `post_action` its address, and the row's page its buttons."""

    def get_urls(self) -> list[URLPattern]:
        """The screen's own addresses before the library's."""
        screen: Any = self
        methods = {name: getattr(type(self), name) for name in dir(type(self))}
        names = [name for name, method in methods.items() if hasattr(method, "permission")]
        own = [
            path(
                f"<int:object_id>/{name.replace('_', '-')}/",
                screen.admin_site.admin_view(getattr(self, name)),
                name=self._name_of(name),
            )
            for name in names
        ]
        return own + super().get_urls()  # type: ignore[misc]

    def get_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """What may be done with a row now; a screen that offers something says what."""
        return []

    def offer(self, request: HttpRequest, row: Any, action: str, **button: Any) -> list[Button]:
        """The button of one action for who may press it, nothing for others."""
        if not request.user.has_perm(getattr(type(self), action).permission):
            return []
        return [Button(address=self.keep_filters(request, self.get_action_address(row, action)), **button)]

    def get_action_address(self, row: Any, action: str) -> str:
        """Where a button posts to."""
        return reverse(f"admin:{self._name_of(action)}", args=[row.pk])

    def keep_filters(self, request: HttpRequest, address: str) -> str:
        """The address with the filters of the list that the page was opened from, so that work goes on there."""
        screen: Any = self
        kept = screen.get_preserved_filters(request)
        return f"{address}?{kept}" if kept else address

    def get_page_address(self, row: Any) -> str:
        """Where a person goes after an action: the row's page."""
        return reverse(f"admin:{self._name_of('change')}", args=[row.pk])

    def _name_of(self, view: str) -> str:
        screen: Any = self
        return f"{screen.opts.app_label}_{screen.opts.model_name}_{view}"
