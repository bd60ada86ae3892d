"""The peers of the service: they get a ready feature vector, explain it, and remember nothing.

Run by `uvicorn`; TIDEGATE_PEER_MODEL names a LightGBM text.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import shap
from fastapi import FastAPI, Request

naive, direct, idle = FastAPI(), FastAPI(), FastAPI()


@cache
def booster() -> lightgbm.Booster:
    """The model of the run."""
    return lightgbm.Booster(model_str=Path(os.environ["TIDEGATE_PEER_MODEL"]).read_text())


@cache
def explainer() -> shap.TreeExplainer:
    """Its explainer, made once."""
    return shap.TreeExplainer(booster())


@naive.post("/score")
def score_with_shap(vectors: list[dict[str, float | None]]) -> list[dict[str, Any]]:
    """What a first version looks like: a frame, the model, and shap's explainer."""
    frame = pd.DataFrame(vectors, dtype=float)
    probability = np.asarray(booster().predict(frame.to_numpy(), num_threads=1))
    contributions = explainer().shap_values(frame.to_numpy())
    return [
        {
            "probability": float(p),
            "contributions": dict(zip(frame.columns, map(float, c), strict=True)),
        }
        for p, c in zip(probability, contributions, strict=True)
    ]


@direct.post("/score")
def score_with_contributions(vectors: list[list[float | None]]) -> list[dict[str, Any]]:
    """What a careful version looks like: arrays, and LightGBM's own contributions."""
    rows = np.array(vectors, dtype=float)
    probability = np.asarray(booster().predict(rows, num_threads=1))
    parts = np.asarray(booster().predict(rows, pred_contrib=True, num_threads=1))
    return [
        {"probability": float(p), "contributions": c.tolist()}
        for p, c in zip(probability, parts, strict=True)
    ]


@idle.post("/score")
async def answer_nothing(request: Request) -> list[float]:
    """What taking a request and answering it costs, whatever is done about it."""
    await request.body()
    return []
