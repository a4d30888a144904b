"""Rules and alerts in words."""

from services.domain.alert import Alert
from services.domain.rule import Rule, RuleKind, RuleSpeaker
from ui.words import decimal, dollars, say

_SECONDS = {
    RuleKind.SILENCE: ("alert_silence", "rule_silence"),
    RuleKind.SLOW_ANSWER: ("alert_slow_answer", "rule_slow_answer"),
    RuleKind.SLOW_ANSWERS: ("alert_slow_answers", "rule_slow_answers"),
}
_SAYS = {
    RuleSpeaker.CUSTOMER: "rule_keyword_customer",
    RuleSpeaker.ASSISTANT: "rule_keyword_assistant",
    RuleSpeaker.EITHER: "rule_keyword_either",
}
_INTERRUPTS = {
    RuleSpeaker.CUSTOMER: "rule_interruptions_customer",
    RuleSpeaker.ASSISTANT: "rule_interruptions_assistant",
    RuleSpeaker.EITHER: "rule_interruptions_either",
}


def alert_words(alert: Alert) -> str:
    """What happened, in a few words: `“cancel” was said`, `9.0 s of silence`."""
    return found_words(alert.rule, alert.amount or 0.0)


def found_words(rule: Rule, amount: float) -> str:
    """What a rule found. `amount` is what was measured, in the unit of `rule.above`."""
    if rule.kind is RuleKind.KEYWORD:
        return say("alert_keyword", phrase=rule.phrase)
    if rule.kind is RuleKind.INTERRUPTIONS:
        return say("alert_interruptions", count=int(amount))
    if rule.kind is RuleKind.COST:
        return say("alert_cost", amount=dollars(amount))
    return say(_SECONDS[rule.kind][0], seconds=decimal(amount))


def rule_words(rule: Rule) -> str:
    """What a rule looks for, as a sentence."""
    if rule.kind is RuleKind.KEYWORD:
        return say(_SAYS[rule.speaker], phrase=rule.phrase)
    if rule.kind is RuleKind.INTERRUPTIONS:
        return say(_INTERRUPTS[rule.speaker], count=int(rule.above))
    if rule.kind is RuleKind.COST:
        return say("rule_cost", amount=dollars(rule.above))
    return say(_SECONDS[rule.kind][1], seconds=decimal(rule.above))
