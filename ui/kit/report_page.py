"""The frame of a report, a page beside that of the calls: its title, the way back, its style sheet and a place for errors."""

from nicegui import ui

from services.support.root_path import address
from ui.kit.assets import versioned
from ui.kit.icons import icon
from ui.kit.live_box import LiveBox
from ui.kit.markup import Box, Text
from ui.kit.notice import Notice
from ui.words import say

_SHEET = "styles/report.css"


class ReportPage(LiveBox):
    """Built in the page's content. `name` is its class, and the key of its title. `notice` shows errors, above everything else."""

    def __init__(self, name: str) -> None:
        ui.add_head_html(f'<link rel="stylesheet" href="{versioned(_SHEET)}">')
        client = ui.context.client
        with client.layout, Box("header", "banner") as banner:
            with Box("h1", "mark"):
                icon("mark", 24)
                Text("span", say(name))
            Text("a", say("insights_back"), "btn small", href=address("/"))
        banner.move(target_index=0)
        with client.content.classes(replace="desk"):
            super().__init__(classes=f"report {name}")
        with self:
            self.notice = Notice(lasting=True)
