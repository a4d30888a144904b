"""A route and a page served as main.py does: our own uvicorn, with the API beside NiceGUI instead of inside it."""

import os

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from pydantic import BaseModel

from services.settings import LOOPBACK_HOSTS
from services.web.access.gatekeeper import Gatekeeper
from services.web.server.face_router import FaceRouter

api, pages = FastAPI(), FastAPI()


class Wanted(BaseModel):
    to: str


@api.post("/api/echo")
async def echo(wanted: Wanted) -> dict[str, str]:
    return {"to": wanted.to}


@ui.page("/")
def index() -> None:
    ui.label("Hello, world")


ui.run_with(pages, show_welcome_message=False)
app = Gatekeeper(FaceRouter(api=api, pages=pages), allowed_hosts=LOOPBACK_HOSTS)
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False, log_level="warning")
