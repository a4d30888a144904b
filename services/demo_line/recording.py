"""The recording of an ended call, at private addresses as Vapi's: the API redirects to one that is valid for a short time."""

import hmac
import re
import secrets
import struct
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

from services.demo_line.artifacts import presigned
from services.demo_line.call import DemoCall
from services.demo_line.responses import Body, Refusal

VALID_S = 300
"""Seconds for which an address is valid at least; at most twice as long. In that time a recording has the same address."""
_CHANNELS = {"stereo": 2, "mono": 1}


class DemoRecordings:
    """Signs and serves the addresses of recordings. `base_url` is that of the demo line."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def presigned(self, base_url: str, call: DemoCall) -> Body:
        """What an API response adds to the artifact of a call that has a recording."""
        if not call.recorded_seconds:
            return {}
        addresses = {kind: self.address(base_url, call, kind) for kind in _CHANNELS}
        return presigned(addresses, expires=datetime.fromtimestamp(_expires(), UTC))

    def address(self, base_url: str, call: DemoCall, kind: str) -> str:
        """A new address of the call's recording, `stereo` or `mono`. Raises Refusal if the call has none."""
        if kind not in _CHANNELS or not call.recorded_seconds:
            raise Refusal(404, "Artifact Not Found.")
        expires = _expires()
        query = urlencode({"expires": expires, "signature": self._sign(call.id, kind, expires)})
        return f"{base_url}/storage/{call.id}/{kind}.wav?{query}"

    def serve(self, call: DemoCall, kind: str, request: web.Request) -> web.Response:
        """The sound. Raises Refusal for an address that has expired or was never made."""
        expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
        signed = re.fullmatch("[0-9]{1,12}", expires) and secrets.compare_digest(
            self._sign(call.id, kind, int(expires)).encode(), signature.encode(errors="replace")
        )
        if not signed or int(expires) < time.time() or kind not in _CHANNELS:
            raise Refusal(403, "Request Has Expired.")
        return web.Response(body=_wav(call, _CHANNELS[kind]), content_type="audio/wav")

    def _sign(self, call_id: str, kind: str, expires: int) -> str:
        return hmac.digest(self._key, f"{call_id} {kind} {expires}".encode(), "sha256").hex()


def _expires() -> int:
    """Seconds since 1970."""
    return (int(time.time()) // VALID_S + 2) * VALID_S


def _wav(call: DemoCall, channels: int) -> bytes:
    """The sound from the answer to the end, as 16-bit WAV."""
    import numpy as np

    playing = call.answered.result()
    samples = np.frombuffer(playing.sound(call.recorded_seconds), "<i2").reshape(-1, 2)
    if channels == 1:
        samples = (samples.astype(np.int32).sum(axis=1, keepdims=True) // 2).astype("<i2")
    sound, rate = samples.tobytes(), playing.sample_rate
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + len(sound), b"WAVE") + form + struct.pack("<4sI", b"data", len(sound)) + sound
