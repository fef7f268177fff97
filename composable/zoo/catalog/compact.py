"""Families for small devices."""

from __future__ import annotations

from composable.zoo.catalog.family import Family, Smallest

COMPACT = (
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
)
