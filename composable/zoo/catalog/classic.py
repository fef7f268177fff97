"""The families that came before residual networks, and those that follow Inception."""

from __future__ import annotations

from composable.zoo.catalog.family import Family, Smallest

CLASSIC = (
    Family(
        "alexnet",
        "image",
        "Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks",
        {"alexnet": {}, "alexnet_two_towers": {"towers": 2}},
        Smallest(
            {"filters": (4, 8, 8, 8, 4), "towers": 2, "nodes": (8,), "dropout": 0.0, "classes": 3},
            (63, 63, 3),
        ),
    ),
    Family(
        "zfnet",
        "image",
        "Zeiler & Fergus 2013, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
        {"zfnet": {}},
        Smallest({"filters": (4, 8, 8, 8, 4), "nodes": (8,), "dropout": 0.0, "classes": 3}, (63, 63, 3)),
    ),
    Family(
        "vgg",
        "image",
        "Simonyan & Zisserman 2014, Very Deep Convolutional Networks, arXiv:1409.1556",
        {
            "vgg11": {"depth": 11},
            "vgg13": {"depth": 13},
            "vgg16": {"depth": 16},
            "vgg19": {"depth": 19},
        },
        Smallest(
            {"convolutions": (1, 2), "filters": (4, 8), "nodes": (8,), "dropout": 0.0, "classes": 3},
            (32, 32, 3),
        ),
    ),
    Family(
        "inception",
        "image",
        "Szegedy et al. 2014, Going Deeper with Convolutions, arXiv:1409.4842",
        {
            "inception_v1": {"version": 1},
            "inception_v1_auxiliary": {"version": 1, "auxiliary": True},
            "inception_v2": {"version": 2},
            "inception_v2_auxiliary": {"version": 2, "auxiliary": True},
        },
        Smallest(
            {
                "stem_filters": (4, 4, 8),
                "groups": (((4, (4, 4), (2, 2), 2),),),
                "dropout": 0.0,
                "classes": 3,
            },
            (32, 32, 3),
        ),
    ),
    Family(
        "inception_v3",
        "image",
        "Szegedy et al. 2015, Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567",
        {"inception_v3": {}, "inception_v3_auxiliary": {"auxiliary": True}},
        Smallest({"pools": (), "sevens": (), "last": 0, "width": 0.01, "classes": 3}, (75, 75, 3)),
        inputs=(299, 299, 3),
    ),
    Family(
        "xception",
        "image",
        "Chollet 2016, Xception: Deep Learning with Depthwise Separable Convolutions, arXiv:1610.02357",
        {"xception": {}},
        Smallest(
            {
                "stem_filters": (4, 8),
                "entry": (8,),
                "blocks": 1,
                "exit_filters": (12, 12, 16),
                "dropout": 0.0,
                "classes": 3,
            },
            (32, 32, 3),
        ),
        inputs=(299, 299, 3),
    ),
    Family(
        "squeezenet",
        "image",
        "Iandola et al. 2016, SqueezeNet, arXiv:1602.07360",
        {
            "squeezenet": {},
            "squeezenet_bypass": {"bypass": "simple"},
            "squeezenet_complex": {"bypass": "complex"},
            "squeezenet_v1_1": {
                "groups": ((16, 16), (32, 32), (48, 48, 64, 64)),
                "filters": 64,
                "kernel_size": 3,
            },
        },
        Smallest(
            {"groups": ((2, 2),), "filters": 4, "bypass": "complex", "dropout": 0.0, "classes": 3},
            (32, 32, 3),
        ),
    ),
    Family(
        "seed_dnn",
        "table",
        "Ferlitsch 2020, Deep Learning by Design (draft), chapter 1",
        {
            "seed_regressor": {"design": "regressor"},
            "seed_binary": {"design": "binary"},
            "seed_multiclass": {"design": "multiclass"},
            "seed_multilabel": {"design": "multilabel"},
            "seed_multitask": {"design": "multitask"},
        },
        Smallest({"design": "multitask"}, (3,)),
        inputs=(13,),
        own_inputs={"seed_multiclass": (4,), "seed_multilabel": (3,), "seed_multitask": (3,)},
        module="seed",
    ),
    Family(
        "seed_mnist",
        "image",
        "Ferlitsch 2020, Deep Learning by Design (draft), chapter 1",
        {"seed_mnist": {}, "seed_mnist_dropout": {"dropout": 0.5}},
        Smallest({"nodes": (16, 16)}, (8, 8)),
        inputs=(28, 28),
        module="seed",
    ),
    Family(
        "seed_cnn",
        "image",
        "Ferlitsch 2020, Deep Learning by Design (draft), chapter 2",
        {"seed_cnn": {}},
        Smallest({"filters": 4, "nodes": 8, "classes": 3}, (16, 16, 1)),
        inputs=(128, 128, 1),
        module="seed",
    ),
)
