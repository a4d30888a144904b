"""Opens the listen socket of a call as Earshot does, and notes everything that happens on it."""

import asyncio
from collections.abc import Awaitable, Callable

from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.domain.call import ListenTarget
from services.domain.errors import EarshotError
from services.listening.upstream import connect_listener
from services.vapi.wire_notes import WireNotes

_AGAIN_S = 0.5


async def note_sound(notes: WireNotes, target: Callable[[], Awaitable[ListenTarget]], clock: Callable[[], float]) -> None:
    """Listens until it is cancelled, and connects again whenever the socket is refused or closed."""
    while True:
        try:
            connection = await connect_listener(await target())
        except InvalidStatus as error:
            notes.refusals[f"status {error.response.status_code}"] += 1
        except EarshotError as error:
            notes.refusals[error.code] += 1
        except Exception as error:
            notes.refusals[type(error).__name__] += 1
        else:
            notes.opened.append(clock())
            try:
                async for frame in connection:
                    notes.frame(clock(), frame)
                notes.closes.append((clock(), f"code {connection.close_code}"))
            except ConnectionClosed as error:
                notes.closes.append((clock(), f"code {error.rcvd.code}" if error.rcvd else "no close frame"))
            finally:
                await connection.close()
        await asyncio.sleep(_AGAIN_S)
