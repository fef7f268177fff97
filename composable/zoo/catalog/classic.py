"""Families for images up to 2017: those before residual networks, those after Inception, and residual ones.

The last hand on what they are given: added to what they make of it, or beside that.
"""

from __future__ import annotations

from composable.zoo.catalog.family import Family, Smallest

SMALL = (32, 32, 3)  # CIFAR-10's images
_TINY = {"blocks": (1, 1), "filters": (4, 8), "classes": 3}

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
        module="alexnet",
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

RESIDUAL = (
    Family(
        "resnet",
        "image",
        "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
        {
            "resnet18": {"depth": 18},
            "resnet34": {"depth": 34},
            "resnet50": {"depth": 50},
            "resnet101": {"depth": 101},
            "resnet152": {"depth": 152},
            "resnet50_v1_5": {"depth": 50, "version": "v1_5"},
            "resnet101_v1_5": {"depth": 101, "version": "v1_5"},
            "resnet152_v1_5": {"depth": 152, "version": "v1_5"},
        },
        Smallest(_TINY, (16, 16, 3)),
    ),
    Family(
        "resnet_v2",
        "image",
        "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027",
        {
            "resnet50_v2": {"depth": 50},
            "resnet101_v2": {"depth": 101},
            "resnet152_v2": {"depth": 152},
        },
        Smallest(_TINY, (16, 16, 3)),
        module="resnet",
    ),
    Family(
        "resnet_cifar",
        "image",
        "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385, section 4.2",
        {f"resnet{depth}_cifar": {"depth": depth} for depth in (20, 32, 44, 56, 110, 164, 1202)},
        Smallest(_TINY, (8, 8, 3)),
        SMALL,
    ),
    Family(
        "resnet_cifar_v2",
        "image",
        "He et al. 2016, Identity Mappings in Deep Residual Networks, arXiv:1603.05027, section 4",
        {f"resnet{depth}_cifar_v2": {"depth": depth} for depth in (20, 56, 110, 164, 1001)},
        Smallest(_TINY, (8, 8, 3)),
        SMALL,
        module="resnet_cifar",
    ),
    Family(
        "se_resnet",
        "image",
        "Hu et al. 2017, Squeeze-and-Excitation Networks, arXiv:1709.01507",
        {
            "se_resnet50": {"depth": 50},
            "se_resnet101": {"depth": 101},
            "se_resnet152": {"depth": 152},
        },
        Smallest({**_TINY, "ratio": 4}, (16, 16, 3)),
        module="senet",
    ),
    Family(
        "resnext",
        "image",
        "Xie et al. 2017, Aggregated Residual Transformations for Deep Neural Networks, arXiv:1611.05431",
        {
            "resnext50": {"depth": 50},
            "resnext101": {"depth": 101},
            "resnext152": {"depth": 152},
            "resnext101_64x4d": {"depth": 101, "cardinality": 64},
        },
        Smallest({**_TINY, "filters": (16, 32), "cardinality": 2, "width": 2}, (16, 16, 3)),
    ),
    Family(
        "resnext_cifar",
        "image",
        "Xie et al. 2017, Aggregated Residual Transformations for Deep Neural Networks, arXiv:1611.05431",
        {
            "resnext29_cifar": {"depth": 29, "cardinality": 8, "width": 64},
            "resnext29_16x64d_cifar": {"depth": 29, "cardinality": 16, "width": 64},
        },
        Smallest({**_TINY, "filters": (16, 32), "cardinality": 2, "width": 2}, (8, 8, 3)),
        SMALL,
        module="resnext",
    ),
    Family(
        "se_resnext",
        "image",
        "Hu et al. 2017, Squeeze-and-Excitation Networks, arXiv:1709.01507",
        {
            "se_resnext50": {"depth": 50},
            "se_resnext101": {"depth": 101},
            "se_resnext152": {"depth": 152},
        },
        Smallest({**_TINY, "filters": (16, 32), "paths": (2, 2), "ratio": 4}, (16, 16, 3)),
        module="senet",
    ),
    Family(
        "wrn",
        "image",
        "Zagoruyko & Komodakis 2016, Wide Residual Networks, arXiv:1605.07146",
        {
            f"wrn_{depth}_{width}": {"depth": depth, "width": width}
            for depth, width in (
                (40, 1),
                (40, 2),
                (40, 4),
                (40, 8),
                (28, 10),
                (28, 12),
                (22, 8),
                (22, 10),
                (16, 4),
                (16, 8),
                (16, 10),
            )
        },
        Smallest({**_TINY, "width": 1, "dropout": 0.1}, (8, 8, 3)),
        SMALL,
        module="resnet_cifar",
    ),
    Family(
        "jumpnet",
        "image",
        "Ferlitsch 2020, JumpNet, github.com/GoogleCloudPlatform/keras-idiomatic-programmer",
        {
            "jumpnet50": {"depth": 50},
            "jumpnet101": {"depth": 101},
            "jumpnet152": {"depth": 152},
            "jumpnet_cifar": {"blocks": (3, 4, 3), "filters": (16, 32), "strides": 1, "classes": 10},
        },
        Smallest({"blocks": (1, 1), "filters": (4, 8), "classes": 3}, (16, 16, 3)),
        own_inputs={"jumpnet_cifar": SMALL},
        module="seed",
    ),
    Family(
        "densenet",
        "image",
        "Huang et al. 2017, Densely Connected Convolutional Networks, arXiv:1608.06993",
        {
            "densenet121": {"depth": 121},
            "densenet161": {"depth": 161, "growth": 48},
            "densenet169": {"depth": 169},
            "densenet201": {"depth": 201},
            "densenet264": {"depth": 264},
        },
        Smallest({"blocks": (1, 1), "growth": 4, "classes": 3}, (32, 32, 3)),
    ),
)
