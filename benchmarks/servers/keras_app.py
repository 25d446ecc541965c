"""A route as teams write it: the model is a global, the upload a temporary file, librosa loads it, Keras predicts."""

import os
import tempfile
from typing import Any

import librosa
import tensorflow as tf
from fastapi import FastAPI, UploadFile

LABELS = os.environ["BENCH_LABELS"].split(",")

app = FastAPI()
yamnet = tf.saved_model.load(os.environ["BENCH_KERAS"] + "/yamnet")
model = tf.keras.models.load_model(os.environ["BENCH_KERAS"] + "/head.keras")


@app.get("/ready")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/predict")
async def predict(file: UploadFile) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as copy:
        copy.write(await file.read())
        copy.flush()
        waveform, _ = librosa.load(copy.name, sr=16000)
    _, embeddings, _ = yamnet(waveform)
    scores = model.predict(embeddings).mean(axis=0)
    best = int(scores.argmax())
    return {
        "label": LABELS[best],
        "score": float(scores[best]),
        "scores": dict(zip(LABELS, scores.tolist(), strict=True)),
    }
