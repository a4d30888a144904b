"""The baseline for start-up and first paint: NiceGUI's hello-world."""

import os

from nicegui import ui


@ui.page("/")
def index() -> None:
    ui.label("Hello, world")


ui.run(host="127.0.0.1", port=int(os.environ["PORT"]), reload=False, show=False, show_welcome_message=False)
