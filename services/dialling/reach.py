"""What may be reached by telephone: numbers and SIP addresses. Pure; it says yes only to what it understands as a whole.

Everything that rings somebody goes through here: calls, scheduled ones too, and transfers. Webhooks only report, and reach nobody.
What is dialled is the number as understood here, never the text that it was read from.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from services.dialling.number_rules import DIRECTORY_ENQUIRIES, EMERGENCY, LONGEST_SHORT, SHORT, is_emergency, read_number
from services.domain.errors import FieldError, Forbidden, NumberError, RequestError
from services.domain.phone_number import PhoneNumber, one_number
from services.domain.sip_uri import SipUri, is_sip, read_sip_uri, rings_at

_EMERGENCY_ANYWHERE = ("112", "911", "999", "000")
"""Many switches connect these at once, whatever follows."""

_OUTSIDE_LINE = ("", "0", "8", "9", "00", "99")
"""What many switches of companies take for the way to a public line."""

_FIELD = "destination"
_SIP_PORTS = ("", ":5060", ":5061")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a call or a transfer leads: `address` is the E.164 number or the SIP URI to ask Vapi for, `number` is None without a telephone
    number."""

    address: str
    number: PhoneNumber | None

    @property
    def rings(self) -> str:
        """Whose phone rings: the E.164 number, else the SIP address without port and transport."""
        return self.number.e164 if self.number else rings_at(self.address)


class Reach:
    """`also` are numbers taken as they are, for the demo line's example. `sip_hosts` are the hosts that may be reached by SIP, each with
    or without a port; without one, the ports 5060 and 5061 are meant."""

    def __init__(self, *, also: Collection[str] = (), sip_hosts: Collection[str] = ()) -> None:
        self._also = also
        self._sip_hosts = sip_hosts

    def number(self, text: str, *, unlikely: bool = False) -> PhoneNumber:
        """The number that `text` means. With `unlikely` also one that no numbering plan knows, unless it resembles a refused one.

        Raises NumberError, with a code of its own for each kind of refusal.
        """
        plain = one_number(text)
        if plain in self._also:
            return PhoneNumber(e164=plain)
        number = read_number(plain)
        if not number.likely and not unlikely:
            raise NumberError(
                f"{number.international} does not look like a number in use. Check the digits, and confirm the number if it is right.",
                code="number_unlikely",
            )
        return number

    def called(self, text: str, *, unlikely: bool = False) -> Destination:
        """Where a call to `text` leads: like `number`, or a SIP address on a host that the owner named. Raises what `destination` does."""
        if not is_sip(text.strip()):
            number = self.number(text, unlikely=unlikely)
            return Destination(address=number.e164, number=number)
        try:
            return self._by_sip(read_sip_uri(text.strip(), field="to"))
        except NumberError as error:
            raise NumberError(error.detail, code=error.code) from error

    def destination(self, text: str) -> Destination:
        """Where a transfer to `text` leads: a number that its plan knows, or a SIP address on a host that the owner named.

        Raises NumberError, RequestError, Forbidden (`destination_not_allowed`).
        """
        if not text.strip():
            raise RequestError("destination is missing for transfer.", errors=[FieldError(_FIELD, "Needed for transfer.")])
        if is_sip(text):
            return self._by_sip(read_sip_uri(text))
        number = self._transferred(text)
        return Destination(address=number.e164, number=number)

    def _by_sip(self, uri: SipUri) -> Destination:
        user, number = uri.bare_user, None
        if re.fullmatch(r"(?:\+|00(?!11)|011)[0-9]+", user, re.ASCII) and len(user) > LONGEST_SHORT:
            number = self._transferred("+" + re.sub(r"^(?:\+|00|011)", "", user))
            user = number.e164
        elif re.fullmatch(r"\+?[0-9]+", user, re.ASCII):
            _refuse_extension(user)
        elif re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", user, re.ASCII):
            _refuse_digits_in(user)
            user = uri.user
        else:
            raise NumberError(
                "Before the @ of a SIP address, write a name, an extension, or a number with + and the country code.", field=_FIELD
            )
        self._check_host(uri)
        return Destination(address=uri.calling(user), number=number)

    def _transferred(self, text: str) -> PhoneNumber:
        try:
            number = self.number(text, unlikely=True)
        except NumberError as error:
            raise NumberError(error.detail, code=error.code, field=_FIELD) from error
        if not number.likely:
            raise NumberError(
                f"{number.international} does not look like a number in use, and calls are transferred only to numbers that are. "
                "Check the digits.",
                code="number_unlikely",
                field=_FIELD,
            )
        return number

    def _check_host(self, uri: SipUri) -> None:
        if f"{uri.host}{uri.port}" in self._sip_hosts or (uri.host in self._sip_hosts and uri.port in _SIP_PORTS):
            return
        named = uri.host + ("" if uri.port in _SIP_PORTS else uri.port)
        # Names no allowed host: not everybody who may place calls should learn them.
        raise Forbidden(
            f"SIP addresses on {uri.host}{uri.port} are not allowed. Add {named} to EARSHOT_SIP_HOSTS to allow them.",
            code="destination_not_allowed",
        )


def _refuse_extension(user: str) -> None:
    """Refuses digits before the @ that a switch could dial as more than an extension of its own."""
    digits = user.removeprefix("+")
    readings = [digits.removeprefix(prefix) for prefix in _OUTSIDE_LINE]
    if _begins_emergency(digits) or any(map(is_emergency, readings)):
        raise NumberError(f"{EMERGENCY} An extension that looks like one needs a name in its place.", code="emergency_number", field=_FIELD)
    if any(reading.startswith(DIRECTORY_ENQUIRIES) for reading in readings):
        raise NumberError(SHORT, code="short_number", field=_FIELD)
    if user != digits or len(digits) > LONGEST_SHORT or any(map(_is_number, readings)):
        raise NumberError("Start the number in a SIP address with + and the country code, like sip:+14155552671@…", field=_FIELD)


def _begins_emergency(digits: str) -> bool:
    return any(digits.removeprefix(prefix).startswith(_EMERGENCY_ANYWHERE) for prefix in (*_OUTSIDE_LINE, "1"))


def _is_number(digits: str) -> bool:
    """True if digits without a + are a whole number all the same, such as a company's of six digits in Iran."""
    try:
        return read_number(f"+{digits}").likely
    except NumberError as error:
        return error.code != NumberError.code


def _refuse_digits_in(name: str) -> None:
    """Refuses a name in which a switch could find a number to dial."""
    runs = re.findall(r"[0-9]+", name)
    if any(map(_begins_emergency, [*runs, "".join(runs)])):
        raise NumberError(f"{EMERGENCY} A name that looks like one can't be used.", code="emergency_number", field=_FIELD)
    if len("".join(runs)) > LONGEST_SHORT:
        raise NumberError("A name in a SIP address may hold 6 digits at most. Write a number with + and without letters.", field=_FIELD)
