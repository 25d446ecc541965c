"""FastAPI and ONNX Runtime by hand, as its documentation advises: one uvicorn worker a core, uvloop, httptools."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from benchmarks.servers import work


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Forty threads a worker, Starlette's default, take turns on the core that is theirs.
    anyio.to_thread.current_default_thread_limiter().total_tokens = 1
    if work.task() == "hear":
        app.state.hear = work.ear()
    else:
        app.state.dense = work.dense()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> Response:
    return Response()


@app.post("/hear")
async def hear(request: Request) -> Response:
    recording = await request.body()
    return _json(await run_in_threadpool(request.app.state.hear, recording))


@app.post("/dense")
async def dense(request: Request) -> Response:
    rows = orjson.loads(await request.body())["inputs"]
    return _json({"outputs": request.app.state.dense(rows)})


@app.post("/dense/raw")
async def dense_raw(request: Request) -> Response:
    rows = np.frombuffer(await request.body(), np.float32).reshape(-1, 8)
    return Response(request.app.state.dense(rows).tobytes(), media_type="application/octet-stream")


def _json(document: object) -> Response:
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
