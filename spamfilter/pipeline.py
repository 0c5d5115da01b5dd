"""A model as a fitted scikit-learn Pipeline, for those whose tools expect one.

Usage::

    pipe = sf.to_pipeline()
    pipe.predict_proba(frame)[:, 1]          # equal to sf.score_frame(frame)["spam_probability"]
    pipe["features"].transform(frame)        # the inputs of the last stage, a frame with names
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from spamfilter.linear import Z_LIMIT
from spamfilter.model import SpamFilter, fields_of

__all__ = ["CommentFeatures", "pipeline_of"]


class CommentFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Comments and their context → inputs of the last stage, by a loaded model.

    Takes a DataFrame with ``text`` and where there are any ``author``, ``author_url``, ``title``,
    ``article``, ``thread``; a list of texts will do.  Stateless: ``fit`` only checks.
    """

    def __init__(self, model: SpamFilter | None = None) -> None:
        self.model = model

    def fit(self, X: Any, y: Any = None) -> CommentFeatures:
        """Note the names of the outputs."""
        if self.model is None:
            raise ValueError("CommentFeatures needs a model: CommentFeatures(spamfilter.load())")
        self.feature_names_out_ = np.array(self.model.parameters.inputs, object)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Inputs of the last stage: float64, shape (comments, inputs)."""
        if self.model is None:
            raise ValueError("CommentFeatures needs a model: CommentFeatures(spamfilter.load())")
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame({"text": list(X)})
        return self.model.inputs(fields_of(frame))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the outputs."""
        return self.feature_names_out_

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None


def pipeline_of(model: SpamFilter) -> Pipeline:
    """Features, scaling, clipping and the logistic regression of ``model``, as fitted."""
    head = model.parameters.head
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_, scaler.var_ = head.mean, head.scale, head.scale**2
    scaler.n_features_in_, scaler.n_samples_seen_ = len(head.mean), 1
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -Z_LIMIT, "a_max": Z_LIMIT}, feature_names_out="one-to-one")
    regression = LogisticRegression()
    regression.classes_ = np.array(["ham", "spam"])
    regression.coef_, regression.intercept_ = head.coef[np.newaxis, :].copy(), np.array([head.intercept])
    regression.n_features_in_, regression.n_iter_ = len(head.coef), np.array([1])
    features = CommentFeatures(model).fit(None)
    return Pipeline([("features", features), ("scale", scaler), ("clip", clip), ("classify", regression)])
