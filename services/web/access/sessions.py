"""Login sessions, and limits on guessing the password."""

import asyncio
import hmac
import ipaddress
import logging
import secrets
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from services.desk.lists.people import People, client_of_login
from services.domain.client import Client
from services.domain.errors import JournalError, Unauthorized
from services.journal import Journal, Session
from services.support.events import set_within
from services.support.tasks import Tasks

log = logging.getLogger(__name__)

COOKIE = "earshot_session"

_IDLE = timedelta(hours=12)
_LONGEST = timedelta(days=7)
_WRITE_USE_EVERY = timedelta(minutes=5)
_PATIENCE_S = 1.0  # for which a logout waits to be written; then it is answered, and the writing continues
_RETRY_S = 1.0
_MOST = 1000
_MOST_KNOWN = 2 * _MOST  # ended ones included
_FREE_TRIES = 5
_LONGEST_WAIT = 900.0  # seconds
_LONGEST_SHARED_WAIT = 8.0
_FORGOTTEN = 3600.0
_EVERYBODY = ""
_MOST_ADDRESSES = 1000

Clock = Callable[[], float]


class Sessions:
    """Sessions of the page, in the journal: they hold in every process and after a restart, and a logout ends them everywhere.

    A session's `key` is a hash of the id in its cookie under `password`, so that a new password ends all sessions. One that belongs to a
    person ends as soon as `people` say that this login of theirs is over. `load` comes first.
    """

    def __init__(self, journal: Journal, *, password: str, people: People, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._journal = journal
        self._people = people
        self._password = password.encode()
        self._now = now
        self._known: dict[str, Session] = {}
        self._over: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._written: dict[str, datetime] = {}
        self._tasks = Tasks()

    async def load(self) -> None:
        """Reads the sessions, and follows those of other processes. Raises JournalError."""
        await self._journal.follow(lambda news: self._take(news.sessions))
        self._take(await self._journal.sessions(self._now() - _LONGEST))
        self._people.changed.subscribe(lambda _: self._end_of_people())

    async def begin(self, login: str = "") -> str:
        """Creates a session and returns its id, for a cookie. Ends the oldest session if there are too many. Raises JournalError.

        `login` says whose it is (`Person.login`); empty: a user with the shared password.
        """
        session_id = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(key=self._key(session_id), begun_at=now, used_at=now, login=login)
        await self._journal.save_session(session)
        self._take([session])
        living = [key for key, known in self._known.items() if not known.ended]
        if len(living) > _MOST:
            await self._end(living[0])
        return session_id

    async def check(self, session_id: str) -> str | None:
        """The key of a valid session, else None. Each check extends it to 12 hours from now, at most 7 days in total."""
        if not session_id:
            return None
        key = self._key(session_id)
        if not await self.lives(key):
            return None
        session = self._known[key] = replace(self._known[key], used_at=self._now())
        if session.used_at - self._written.get(key, session.begun_at) > _WRITE_USE_EVERY:
            self._written[key] = session.used_at
            self._tasks.start(self._try_to_save(session), name="save session")
        return key

    def client_of_id(self, session_id: str) -> Client:
        """Who acts in the session with this id. Raises Unauthorized once it is known to be over."""
        return self.client_of(self._key(session_id))

    def client_of(self, key: str) -> Client:
        """Who acts in this session. Raises Unauthorized once it is known to be over."""
        session = self._known.get(key)
        client = client_of_login(self._people, session.login) if session and not session.ended else None
        if client is None:
            raise Unauthorized("Your session is over. Log in again.", code="session_over")
        return client

    async def lives(self, key: str) -> bool:
        """True if the session with this key is valid."""
        if key not in self._known and (found := await self._find(key)):
            self._take([found])
        session, now = self._known.get(key), self._now()
        if session is None or session.ended:
            return False
        if now - session.begun_at >= _LONGEST or now - session.used_at >= _IDLE or not await self._still_allowed(session):
            await self._end(key)
            return False
        return True

    async def end(self, session_id: str) -> Client | None:
        """Logs out: at once here, in all processes as soon as the journal has it. Returns who was logged in; None if nobody was."""
        key = self._key(session_id)
        if not await self.lives(key):
            return None
        client = self.client_of(key)
        await self._end(key)
        return client

    async def over(self, key: str) -> None:
        """Returns once the session has ended, by a logout in any process or after 7 days."""
        session = self._known.get(key)
        if session is None or session.ended:
            return
        await set_within(self._over[key], (session.begun_at + _LONGEST - self._now()).total_seconds())

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def _key(self, session_id: str) -> str:
        return hmac.digest(self._password, session_id.encode(errors="replace"), "sha256").hex()[:32]

    async def _still_allowed(self, session: Session) -> bool:
        """False once the person of the session was disabled or removed, or has ended it.

        Before it answers that, it reads the journal's news: another process may just have let them in.
        """
        if self._allowed(session):
            return True
        while session.login:
            try:
                await self._journal.catch_up()
                break
            except JournalError as error:
                log.warning("could not look up who may be logged in: %s", error.detail)
                await asyncio.sleep(_RETRY_S)
        return self._allowed(session)

    def _allowed(self, session: Session) -> bool:
        return client_of_login(self._people, session.login) is not None if session.login else bool(self._password)

    def _end_of_people(self) -> None:
        """Ends the sessions of people who were disabled, removed, or given another role or password."""
        for key in [key for key, known in self._known.items() if not known.ended and not self._allowed(known)]:
            self._tasks.start(self.lives(key), name="end session")

    async def _find(self, key: str) -> Session | None:
        """A session that another process began this moment."""
        try:
            return await self._journal.session(key)
        except JournalError as error:
            log.warning("could not look up a session: %s", error.detail)
            return None

    def _take(self, sessions: Sequence[Session]) -> None:
        for session in sessions:
            known = self._known.get(session.key, session)
            ended = session.ended or known.ended
            self._known[session.key] = replace(session, ended=ended, used_at=max(session.used_at, known.used_at))
            if ended:
                self._over.pop(session.key, asyncio.Event()).set()
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def _end(self, key: str) -> None:
        session = replace(self._known[key], ended=True)
        self._take([session])
        writing = self._tasks.keep(partial(self._save, session), name="end session")
        await asyncio.wait({writing}, timeout=_PATIENCE_S)

    async def _save(self, session: Session) -> None:
        while True:
            if await self._try_to_save(session):
                return
            await asyncio.sleep(_RETRY_S)

    async def _try_to_save(self, session: Session) -> bool:
        try:
            await self._journal.save_session(session)
        except JournalError as error:
            log.warning("could not save a session: %s", error.detail)
            return False
        return True


class Attempts:
    """Slows down guessing: after five wrong passwords from an address, each further one doubles the wait, up to 15 minutes.

    After a hundred wrong passwords from any address, all addresses wait too, since an attacker may have many; but only seconds, since the
    owner has to wait as well. Failures expire after an hour without one.

    `longest_wait` is in seconds. With `shared=False`, only addresses that failed wait.
    """

    def __init__(self, clock: Clock = time.monotonic, *, longest_wait: float = _LONGEST_WAIT, shared: bool = True) -> None:
        self._clock = clock
        self._longest_wait = longest_wait
        self._shared = shared
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the address may try again; 0 if it may now."""
        alone = self._wait(network_of(address), free=_FREE_TRIES, longest=self._longest_wait)
        if not self._shared:
            return alone
        return max(alone, self._wait(_EVERYBODY, free=20 * _FREE_TRIES, longest=_LONGEST_SHARED_WAIT))

    def failed(self, address: str) -> None:
        now = self._clock()
        for who in (network_of(address), _EVERYBODY):
            count, last = self._failures.pop(who, (0, now))
            self._failures[who] = (1 if now - last >= _FORGOTTEN else count + 1, now)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        self._failures.pop(network_of(address), None)

    def take_back(self, address: str) -> None:
        """Undoes a `failed` that was counted before it was known whether the password is right."""
        self.succeeded(address)
        count, last = self._failures.get(_EVERYBODY, (0, 0.0))
        if count:
            self._failures[_EVERYBODY] = (count - 1, last)

    def _wait(self, who: str, *, free: int, longest: float) -> float:
        count, last = self._failures.get(who, (0, 0.0))
        if count < free or self._clock() - last >= _FORGOTTEN:
            return 0.0
        return max(0.0, last + min(2.0 ** min(count - free, 10), longest) - self._clock())


def network_of(address: str) -> str:
    """The network of an address, which counts as one address: with IPv6 a /64, within which addresses can be chosen at will."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address
