"""Families since 2019, and those without convolutions."""

from __future__ import annotations

from composable.zoo.catalog.family import Family, Smallest

CIFAR = (32, 32, 3)
_COEFFICIENTS = (  # width, depth, the input's side, dropout
    (1.0, 1.0, 224, 0.2),
    (1.0, 1.1, 240, 0.2),
    (1.1, 1.2, 260, 0.3),
    (1.2, 1.4, 300, 0.3),
    (1.4, 1.8, 380, 0.4),
    (1.6, 2.2, 456, 0.4),
    (1.8, 2.6, 528, 0.5),
    (2.0, 3.1, 600, 0.5),
)

MODERN = (
    Family(
        "efficientnet",
        "image",
        "Tan & Le 2019, EfficientNet: Rethinking Model Scaling for CNNs, arXiv:1905.11946",
        {
            f"efficientnet_b{number}": {"width": width, "depth": depth, "dropout": dropout}
            for number, (width, depth, _, dropout) in enumerate(_COEFFICIENTS)
        },
        Smallest({"filters": (8, 8), "blocks": (1, 1), "classes": 3}, (8, 8, 3)),
        own_inputs={
            f"efficientnet_b{number}": (side, side, 3) for number, (_, _, side, _) in enumerate(_COEFFICIENTS)
        },
    ),
    Family(
        "convnext",
        "image",
        "Liu et al. 2022, A ConvNet for the 2020s, arXiv:2201.03545",
        {
            "convnext_tiny": {},
            "convnext_small": {"blocks": (3, 3, 27, 3), "stochastic_depth": 0.4},
            "convnext_base": {
                "filters": (128, 256, 512, 1024),
                "blocks": (3, 3, 27, 3),
                "stochastic_depth": 0.5,
            },
            "convnext_large": {
                "filters": (192, 384, 768, 1536),
                "blocks": (3, 3, 27, 3),
                "stochastic_depth": 0.5,
            },
            "convnext_xlarge": {
                "filters": (256, 512, 1024, 2048),
                "blocks": (3, 3, 27, 3),
                "stochastic_depth": 0.2,
            },
        },
        Smallest({"filters": (8,), "blocks": (1,), "stochastic_depth": 0.0, "classes": 3}, (32, 32, 3)),
    ),
    Family(
        "vit",
        "image",
        "Dosovitskiy et al. 2020, An Image is Worth 16x16 Words, arXiv:2010.11929",
        {
            "vit_ti16": {"width": 192, "heads": 3},
            "vit_s16": {"width": 384, "heads": 6},
            "vit_s32": {"patch": 32, "width": 384, "heads": 6},
            "vit_b16": {},
            "vit_b32": {"patch": 32},
            "vit_l16": {"width": 1024, "depth": 24, "heads": 16},
            "vit_l32": {"patch": 32, "width": 1024, "depth": 24, "heads": 16},
            "vit_h14": {"patch": 14, "width": 1280, "depth": 32, "heads": 16},
        },
        Smallest({"patch": 8, "width": 8, "depth": 1, "heads": 2, "classes": 3}, (16, 16, 3)),
    ),
    Family(
        "mlp_mixer",
        "image",
        "Tolstikhin et al. 2021, MLP-Mixer: An all-MLP Architecture for Vision, arXiv:2105.01601",
        {
            f"mixer_{size}{patch}": {
                "patch": patch,
                "width": width,
                "depth": depth,
                "across_patches": width // 2,
                "across_channels": width * 4,
            }
            for size, width, depth, sides in (
                ("s", 512, 8, (32, 16)),
                ("b", 768, 12, (32, 16)),
                ("l", 1024, 24, (32, 16)),
                ("h", 1280, 32, (14,)),
            )
            for patch in sides
        },
        Smallest(
            {"patch": 8, "width": 8, "depth": 1, "across_patches": 4, "across_channels": 16, "classes": 3},
            (16, 16, 3),
        ),
    ),
    Family(
        "fast_cifar",
        "image",
        "Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv:2404.00498",
        {
            "fast_cifar": {},
            "fast_cifar_95": {"filters": (128, 384, 384)},
            "fast_cifar_96": {"filters": (128, 512, 512), "depth": 3, "momentum": 0.9},
        },
        Smallest({"filters": (4, 8), "classes": 3}, (16, 16, 3)),
        CIFAR,
    ),
)
