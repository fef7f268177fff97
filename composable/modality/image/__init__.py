"""Images: one of each row, or several, perhaps beside other columns."""

from __future__ import annotations

from composable.data.kinds.image import IMAGES
from composable.design import Part
from composable.explain.image_errors import image_errors
from composable.modality.image.augmentations import measured_augmentations
from composable.modality.image.portfolio import beside, candidates, fit_design, space, usual_settings
from composable.modality.image.ridge import RIDGE_ON_PATCHES
from composable.modality.modality import Modality
from composable.training.stages.pretrain.image_classes import jigsaw, synthetic
from composable.training.stages.pretrain.reconstruction import autoencoding, denoising, occlusion

IMAGE = Modality(
    name="image",
    inputs=frozenset({IMAGES}),
    columns=frozenset({"image"}),
    designs=("image",),
    candidates=candidates,
    space=space,
    settings=usual_settings,
    fit_design=fit_design,
    baseline=RIDGE_ON_PATCHES,
    pretexts={
        "jigsaw": Part(jigsaw),
        "denoise": Part(denoising),
        "autoencode": Part(autoencoding),
        "inpaint": Part(occlusion),
        "shapes": Part(synthetic),
    },
    beside=beside,
    in_tables=False,
    augment=measured_augmentations,
    worst_errors={"pictures.json": image_errors},
)
