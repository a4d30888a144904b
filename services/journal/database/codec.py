"""How the database stores calls, orders and times: as JSON text and as milliseconds since 1970 UTC."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from services.domain.call import Analysis, Call, CallOrder, CallStatus, CostItem, Erasure, MonitorFinding, Output, Scorecard
from services.domain.consent import Consent
from services.domain.voicemail import Voicemail

R = TypeVar("R")

_FINDINGS: dict[str, type[Output | Scorecard | MonitorFinding]] = {
    "outputs": Output,
    "scorecards": Scorecard,
    "monitors": MonitorFinding,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MILLISECOND


def time_of(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def storable(text: str) -> str:
    """The text without what databases reject: NUL and lone surrogates."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def dump(record: Call | CallOrder) -> str:
    """JSON of the fields that have a value. The others are omitted, so that a new field needs no migration."""
    known = {
        item.name: value
        for item in fields(record)
        if (value := getattr(record, item.name)) not in (None, False, (), {}) or (value is False and item.default is None)
    }
    return json.dumps(known, default=_plain, separators=(",", ":"))


def load_call(text: str) -> Call:
    values = _load(text, Call)
    costs = tuple(_of(CostItem, item) for item in values.pop("costs", ()))
    analysis = _analysis(values.pop("analysis", None))
    erasure = _of(Erasure, _times(erasure)) if (erasure := values.pop("erasure", None)) else None
    status = CallStatus(values["status"])
    return Call(**values | _consent(values) | {"status": status, "costs": costs, "analysis": analysis, "erasure": erasure})


def _analysis(stored: dict[str, Any] | None) -> Analysis | None:
    if stored is None:
        return None
    return _of(Analysis, stored | {name: tuple(_of(kind, item) for item in stored.get(name, ())) for name, kind in _FINDINGS.items()})


def load_order(text: str) -> CallOrder:
    values = _load(text, CallOrder)
    voicemail = values.get("voicemail")
    return CallOrder(**values | _consent(values) | {"voicemail": Voicemail(voicemail) if voicemail else None})


def _consent(values: dict[str, Any]) -> dict[str, Consent | None]:
    return {"consent": Consent(values["consent"]) if values.get("consent") else None}


def _load(text: str, record: type[Call] | type[CallOrder]) -> dict[str, Any]:
    return _times(_known(record, json.loads(text)))


def _of(record: type[R], values: dict[str, Any]) -> R:
    return record(**_known(record, values))


def _known(record: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields of a newer version, which may write to the same journal."""
    names = {item.name for item in fields(record)}
    return {name: value for name, value in values.items() if name in names}


def _times(values: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(value) if name.endswith("_at") and value else value for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    return asdict(value) if isinstance(value, CostItem | Analysis | Erasure) else dict(value) if isinstance(value, Mapping) else str(value)
