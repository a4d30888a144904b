"""The order of a call's states: forward only, ended for good."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from services.domain.call import Call, CallOrder, CallStatus, CostItem, ListenTarget, merge

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)


def call(status: CallStatus, **more: object) -> Call:
    return Call(id="one", status=status, **more)  # type: ignore[arg-type]


def test_states_only_move_forward() -> None:
    course = [CallStatus.UNKNOWN, CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS, CallStatus.FORWARDING, CallStatus.ENDED]
    for earlier, later in pairwise(course):
        assert merge(call(earlier), call(later), now=NOW).status is later
        assert merge(call(later), call(earlier), now=NOW).status is later


def test_ended_is_final() -> None:
    for status in CallStatus:
        assert not merge(call(CallStatus.ENDED), call(status), now=NOW).running


def test_a_value_once_known_is_not_lost() -> None:
    known = call(CallStatus.IN_PROGRESS, to="+14155552671", started_at=NOW, costs=(CostItem(kind="voice", dollars=0.1),))
    merged = merge(known, call(CallStatus.ENDED, ended_reason="customer-busy", cost=0.0), now=NOW)
    assert merged.to == "+14155552671"
    assert merged.started_at == NOW
    assert merged.costs
    assert merged.ended_reason == "customer-busy"
    assert merged.cost == 0.0


def test_ringing_keeps_the_time_of_its_first_sight() -> None:
    first = merge(call(CallStatus.QUEUED), call(CallStatus.RINGING), now=NOW)
    again = merge(first, call(CallStatus.RINGING), now=NOW + timedelta(seconds=5))
    assert first.ringing_at == again.ringing_at == NOW


def test_the_label_fits_vapis_forty_characters() -> None:
    order = CallOrder(to="+14155552671", assistant_id="a", phone_number_id="p", tag="0123456789abcdef")
    assert len(order.label) <= 40
    assert order.tag in order.label


def test_a_listen_target_says_nothing_of_itself() -> None:
    assert "secret" not in repr(ListenTarget(url="wss://host/secret/listen", headers={"Authorization": "Bearer secret"}))
