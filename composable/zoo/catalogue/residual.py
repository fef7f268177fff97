"""Families that add to what they are given."""

from __future__ import annotations

from composable.zoo.catalogue.family import Family, Smallest

RESIDUAL = (
    Family(
        "resnet",
        "image",
        "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
        {
            "resnet34": {"depth": 34},
            "resnet50": {"depth": 50},
            "resnet101": {"depth": 101},
            "resnet152": {"depth": 152},
        },
        Smallest({"blocks": (1, 1), "filters": (4, 8), "classes": 3}, (16, 16, 3)),
    ),
)
