"""The relay, in this process or in one of its own."""

from services.listening.relay import Relay
from services.listening.remote_relay import RemoteRelay

LiveSound = Relay | RemoteRelay
