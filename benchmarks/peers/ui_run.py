"""A route and a page under NiceGUI's own `ui.run`: the alternative to what main.py does."""

import os

from nicegui import app, ui
from pydantic import BaseModel


class Wanted(BaseModel):
    to: str


@app.post("/api/echo")
async def echo(wanted: Wanted) -> dict[str, str]:
    return {"to": wanted.to}


@ui.page("/")
def index() -> None:
    ui.label("Hello, world")


ui.run(host="127.0.0.1", port=int(os.environ["PORT"]), reload=False, show=False, show_welcome_message=False)
