"""Which lines of a call's transcript its alerts mark, and with what."""

from collections.abc import Iterable

from services.domain.alert import Alert
from services.domain.rule import Effect
from services.domain.transcript import Line
from services.measures.judgement import said


def mark_of(line: Line, alerts: Iterable[Alert]) -> str:
    """The keywords of these alerts that are in the line; empty if none is. They are found anew in each line: after a call its transcript
    is replaced by Vapi's."""
    if not line.final:
        return ""
    phrases = (alert.rule.phrase for alert in alerts if Effect.MARK in alert.rule.effects and said(alert.rule, line))
    return " · ".join(dict.fromkeys(phrases))
