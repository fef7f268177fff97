"""Families that are not a line: skips across, twins, codes, generators, regions."""

from __future__ import annotations

from composable.zoo.catalog.family import Family, Smallest

STRUCTURED = (
    Family(
        "unet",
        "image",
        "Ronneberger et al. 2015, U-Net: Convolutional Networks for Biomedical Images, arXiv:1505.04597",
        {"unet": {}, "unet_same": {"padding": "same"}},
        Smallest({"filters": (4, 8), "padding": "same"}, (9, 9, 1)),
        inputs=(572, 572, 1),
        own_inputs={"unet_same": (512, 512, 1)},
    ),
    Family(
        "siamese_twin",
        "image",
        "Koch et al. 2015, Siamese Neural Networks for One-shot Image Recognition, ICML workshop",
        {"siamese_twin": {}},
        Smallest({"convolutions": ((4, 3), (4, 3)), "units": 8}, {"left": (68, 68, 1), "right": (68, 68, 1)}),
        inputs={"left": (105, 105, 1), "right": (105, 105, 1)},
        module="siamese",
    ),
    Family(
        "dense_autoencoder",
        "image",
        "Hinton & Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks, Science 313",
        {
            "dense_autoencoder": {},
            "dense_autoencoder_2006": {
                "units": (1000, 500, 250, 30),
                "activation": "sigmoid",
                "code_activation": None,
            },
        },
        Smallest({"units": (8, 4)}, (784,)),
        inputs=(784,),
        module="autoencoder",
    ),
    Family(
        "conv_autoencoder",
        "image",
        "Masci et al. 2011, Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction, ICANN",
        {"conv_autoencoder": {}},
        Smallest({"filters": (8, 4)}, (8, 8, 3)),
        inputs=(32, 32, 3),
        module="autoencoder",
    ),
    Family(
        "srcnn",
        "image",
        "Dong et al. 2014, Image Super-Resolution Using Deep Convolutional Networks, arXiv:1501.00092",
        {
            "srcnn": {},
            "srcnn_9_3_5": {"kernel_sizes": (9, 3, 5)},
            "srcnn_9_5_5": {"kernel_sizes": (9, 5, 5)},
        },
        Smallest({"filters": (8, 4), "kernel_sizes": (5, 1, 3)}, (12, 12, 1)),
        inputs=(33, 33, 1),
    ),
    Family(
        "srcnn_post",
        "image",
        "Dong et al. 2016, Accelerating the Super-Resolution Convolutional Neural Network, arXiv:1608.00367",
        {
            "srcnn_post": {},
            "fsrcnn": {
                "filters": (56, 12, 12, 12, 12, 12, 56),
                "kernel_sizes": (5, 1, 3, 3, 3, 3, 1, 9),
                "activation": "prelu",
            },
            "espcn": {"kernel_sizes": (5, 3, 3), "activation": "tanh", "upsampling": "shuffled"},
        },
        Smallest(
            {
                "factor": 2,
                "filters": (8, 4),
                "kernel_sizes": (3, 1, 3),
                "activation": "prelu",
                "upsampling": "shuffled",
            },
            (8, 8, 1),
        ),
        inputs=(17, 17, 1),
        module="srcnn",
    ),
    Family(
        "dcgan_generator",
        "image",
        "Radford et al. 2015, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434",
        {"dcgan_generator": {}},
        Smallest({"filters": (8, 4), "side": 2}, (6,)),
        inputs=(100,),
        module="dcgan",
    ),
    Family(
        "dcgan_discriminator",
        "image",
        "Radford et al. 2015, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434",
        {"dcgan_discriminator": {}},
        Smallest({"filters": (4, 8)}, (16, 16, 3)),
        inputs=(64, 64, 3),
        module="dcgan",
    ),
    Family(
        "faster_rcnn",
        "image",
        "Ren et al. 2015, Faster R-CNN: Towards Real-Time Object Detection, arXiv:1506.01497",
        {"faster_rcnn": {}},
        Smallest(
            {"classes": 3, "groups": ((4, 1), (8, 1)), "anchors": 2, "filters": 8, "bins": 2, "units": 8},
            {"image": (32, 32, 3), "regions": (2, 4)},
        ),
        inputs={"image": (608, 800, 3), "regions": (300, 4)},
    ),
)
