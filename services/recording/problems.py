"""What can be wrong with a call's recording, and what is."""

import logging
from collections.abc import Callable

from services.support.recent import remember

log = logging.getLogger(__name__)

PROBLEMS = {
    "disk_full": "The disk is nearly full, so nothing is recorded. Free some space, or set EARSHOT_RECORDINGS to a folder on another disk.",
    "limit": "The recordings fill EARSHOT_RECORDINGS_MB and no older one is left to delete. Raise the limit to go on recording.",
    "disk": "The recording can't be written. Make sure that the folder of the recordings can be written to.",
    "elsewhere": "Another process has taken over the recording of this call.",
    "lost_sound": "The disk did not keep up, and some sound is missing from the recording. Its marks say where.",
    "no_sound": "Vapi does not let this call's sound through, so there is nothing to record yet. Earshot keeps trying.",
    "unfinished": "The recording could not be turned into FLAC. Earshot tries again at its next start; the log says more.",
    "store_refused": "The store refuses the recording. It waits on the disk. Check AWS_ACCESS_KEY_ID and what it allows.",
    "store_absent": "The store does not have the bucket. The recording waits on the disk. Check EARSHOT_RECORDINGS and AWS_ENDPOINT_URL.",
    "store_unavailable": "The store of the recordings can't be reached. The recording waits on the disk. Earshot keeps trying.",
}
"""The explanations of a problem."""


class Problems:
    """The problem of each call's recording, of the latest 1,000. `changed` is called with the id of a call whose problem is another."""

    def __init__(self, changed: Callable[[str], object]) -> None:
        self._changed = changed
        self._problems: dict[str, str] = {}

    def of(self, call_id: str) -> str | None:
        return self._problems.get(call_id)

    def note(self, call_id: str, problem: str) -> None:
        if self._problems.get(call_id) != problem:
            log.warning("recording of call %s: %s", call_id, PROBLEMS[problem])
            remember(self._problems, call_id, problem)
            self._changed(call_id)

    def mended(self, call_id: str, *problems: str) -> None:
        """These problems are over; no names: all."""
        if call_id in self._problems and (not problems or self._problems[call_id] in problems):
            del self._problems[call_id]
            self._changed(call_id)
