"""Tables: numbers, categories and dates in columns, and whatever lies beside them."""

from __future__ import annotations

from composable.design import Part
from composable.modality.boosting import GRADIENT_BOOSTING
from composable.modality.designed import fit_to_table, usual_settings
from composable.modality.modality import Modality
from composable.modality.table.portfolio import candidates, portfolio_size
from composable.training.stages.pretrain.masking import masking
from composable.training.stages.pretrain.number_denoising import number_denoising

TABLE = Modality(
    name="table",
    inputs=frozenset({"numbers", "dates", "categories"}),
    columns=frozenset({"number", "category", "boolean", "date"}),
    designs=("table",),
    candidates=candidates,
    portfolio_size=portfolio_size,
    settings=usual_settings,
    fit_design=fit_to_table,
    baseline=GRADIENT_BOOSTING,
    pretexts={"mask": Part(masking), "denoise": Part(number_denoising)},
)
