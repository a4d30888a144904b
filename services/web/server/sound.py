"""Live sound: the relay, in a process of its own or in a thread."""

from contextlib import AsyncExitStack

from services.desk.desk import CallDesk
from services.listening.live_sound import LiveSound
from services.listening.relay import Relay
from services.listening.remote_relay import RemoteRelay
from services.listening.sound_thread import SoundThread
from services.support.worker_process import WorkerProcess


async def sound_of(desk: CallDesk, worker: WorkerProcess | None, running: AsyncExitStack) -> LiveSound:
    """The relay, in `worker` or in a thread. `running` closes it."""
    if worker:
        remote = RemoteRelay(worker, target=desk.listen_target, find=desk.get, hint=desk.look, heard=desk.transcripts.take)
        running.push_async_callback(remote.aclose)
        return remote
    sound = SoundThread()
    running.push_async_callback(sound.aclose)
    relay = Relay(
        target=sound.ask_main(desk.listen_target),
        find=desk.get,
        hint=sound.on_main(desk.look),
        heard=sound.on_main(desk.transcripts.take),
        loop=sound.loop,
        playing=sound.loop.hurry,
    )
    running.push_async_callback(relay.aclose)
    return relay
