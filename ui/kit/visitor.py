"""The visitor: the user of the page for which the code runs."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from services.domain.client import PAGE, Client, Scope
from ui.tab import Tab, tab

_visitors: WeakKeyDictionary[Tab, tuple[Client, Callable[[], Client]]] = WeakKeyDictionary()


def welcome_visitor(client: Client, now: Callable[[], Client]) -> None:
    """Says who opened the page being built, and how to find out who acts in it later: `now` raises Unauthorized once nobody does."""
    _visitors[tab()] = client, now


def visitor() -> Client:
    """Who acts: pass it on with whatever is done. Raises Unauthorized once the session is over, even if its page is still open."""
    _, now = _visitors[tab()]
    return now()


def is_visitor(name: str) -> bool:
    """True if the name is the visitor's."""
    return _opened_by().name == name


def visitor_may(scope: Scope) -> bool:
    """True if the visitor has this scope. Decides only what is shown: the services check what is done."""
    return scope in _opened_by().scopes


def visitor_controls_all(scope: Scope = Scope.CONTROL) -> bool:
    """True if the visitor has this scope for all calls, not only for those that they placed."""
    return visitor_may(scope) and not _opened_by().own_calls_only


def visitor_records() -> bool:
    """True if the visitor may record the calls that they may control."""
    return visitor_may(Scope.CONTROL) and _opened_by().caps.record


def visitor_reads_reports() -> bool:
    """True if the visitor may read insights and export lists of calls."""
    return _opened_by().reports


def _opened_by() -> Client:
    client, _ = _visitors.get(tab(), (PAGE, None))
    return client
