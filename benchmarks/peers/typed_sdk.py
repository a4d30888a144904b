"""The baseline for placing calls: Vapi's typed client, warmed up, in a bare FastAPI route without checks."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from vapi import AsyncVapi, CreateCustomerDto

client = AsyncVapi(token="key", base_url=os.environ["VAPI_BASE_URL"])


class Wanted(BaseModel):
    to: str


async def place(to: str) -> dict[str, Any]:
    call: Any = await client.calls.create(
        assistant_id=os.environ["VAPI_ASSISTANT_ID"],
        phone_number_id=os.environ["VAPI_PHONE_NUMBER_ID"],
        customer=CreateCustomerDto(number=to),
        request_options={"max_retries": 0},
    )
    return {"id": call.id, "status": call.status, "listenUrl": call.monitor.listen_url}


@asynccontextmanager
async def warmed(_app: FastAPI) -> AsyncIterator[None]:
    await place("+14155552671")
    yield


app = FastAPI(lifespan=warmed)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/vapi_call", status_code=201)
async def vapi_call(wanted: Wanted) -> dict[str, Any]:
    return await place(wanted.to)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False, log_level="warning")
