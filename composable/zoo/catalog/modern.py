"""Families since 2017: for small devices, scaled by rule, and those without convolutions."""

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
        "mobilenet_v1",
        "image",
        "Howard et al. 2017, MobileNets: Efficient CNNs for Mobile Vision Applications, arXiv:1704.04861",
        {
            "mobilenet_v1": {},
            "mobilenet_v1_075": {"alpha": 0.75},
            "mobilenet_v1_050": {"alpha": 0.5},
            "mobilenet_v1_025": {"alpha": 0.25},
            "mobilenet_v1_shallow": {"blocks": (1, 2, 2, 1, 2)},
        },
        Smallest({"filters": (8, 16), "blocks": (1, 1), "classes": 3}, (8, 8, 3)),
        module="mobilenet",
    ),
    Family(
        "mobilenet_v2",
        "image",
        "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381",
        {
            "mobilenet_v2": {},
            "mobilenet_v2_035": {"alpha": 0.35},
            "mobilenet_v2_050": {"alpha": 0.5},
            "mobilenet_v2_075": {"alpha": 0.75},
            "mobilenet_v2_130": {"alpha": 1.3},
            "mobilenet_v2_140": {"alpha": 1.4},
        },
        Smallest(
            {"filters": (8, 8), "blocks": (1, 1), "strides": (2, 1), "expansion": 2, "classes": 3}, (8, 8, 3)
        ),
        module="mobilenet",
    ),
    Family(
        "mobilenet_v3",
        "image",
        "Howard et al. 2019, Searching for MobileNetV3, arXiv:1905.02244",
        {
            "mobilenet_v3_large": {},
            "mobilenet_v3_small": {"size": "small"},
            "mobilenet_v3_large_075": {"alpha": 0.75},
            "mobilenet_v3_small_075": {"size": "small", "alpha": 0.75},
            "mobilenet_v3_large_minimalistic": {"minimalistic": True},
            "mobilenet_v3_small_minimalistic": {"size": "small", "minimalistic": True},
        },
        Smallest(
            {
                "rows": ((3, 1, 8, False, "relu", 2), (3, 2, 8, True, "hard_swish", 1)),
                "units": 16,
                "classes": 3,
            },
            (8, 8, 3),
        ),
        module="mobilenet",
    ),
    Family(
        "shufflenet",
        "image",
        "Zhang et al. 2017, ShuffleNet: An Extremely Efficient CNN for Mobile Devices, arXiv:1707.01083",
        {
            **{f"shufflenet_g{groups}": {"groups": groups} for groups in (1, 2, 3, 4, 8)},
            **{f"shufflenet_g{groups}_050": {"groups": groups, "scale": 0.5} for groups in (1, 2, 3, 4, 8)},
            **{
                f"shufflenet_g{groups}_025": {"groups": groups, "scale": 0.25, "stem_filters": filters}
                for groups, filters in ((1, 12), (2, 12), (3, 12), (4, 12), (8, 8))
            },
            **{
                f"shufflenet_g{groups}_150": {"groups": groups, "scale": 1.5, "stem_filters": 24}
                for groups in (3, 8)
            },
            **{f"shufflenet_g{groups}_200": {"groups": groups, "scale": 2.0} for groups in (3, 8)},
        },
        Smallest(
            {"groups": 2, "stem_filters": 4, "filters": (8,), "blocks": (2,), "classes": 3}, (16, 16, 3)
        ),
    ),
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
        module="vit",
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
