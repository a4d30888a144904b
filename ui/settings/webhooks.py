"""What becomes of Vapi's webhooks: a paragraph in the settings, and a notice once one of them got no answer."""

from services.vapi.forwarding import Unanswered, WebhookForward
from ui.kit.following import follow
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.words import say


def webhook_settings(forward: WebhookForward) -> None:
    """Says where messages go that need an answer."""
    with Box("section", "webhooks", data_testid="webhooks"):
        Text("strong", say("webhooks"))
        Text("p", say("webhooks_forwarded", host=forward.host) if forward.host else say("webhooks_kept"))


def unanswered_notice(forward: WebhookForward) -> None:
    """For the top of the page's content. Shown from a message without an answer until a later one is answered."""
    notice = Notice(quiet=True)

    def show(unanswered: Unanswered | None) -> None:
        if unanswered is None:
            notice.hide()
        elif unanswered.host:
            notice.show(say("webhook_failed_title", host=unanswered.host), say("webhook_failed", message=unanswered.kind))
        else:
            notice.show(say("webhook_unanswered_title"), say("webhook_unanswered", message=unanswered.kind))

    show(forward.unanswered)
    follow(forward.changed, show)
