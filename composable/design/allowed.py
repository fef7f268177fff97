"""What a model's configuration may name: stock Keras layers and operations that need no code and no files.

Keras's own `safe_mode` was bypassed about ten times (CVE-2024-3660, CVE-2025-1550, -8747, -9906, -12058,
CVE-2026-12481), each time through a class or a function that a configuration could name. So nothing is
reached but what this page lists. To add a layer, make sure that it takes no function, no path and no code,
and, if it has weights, teach `composable.deploy.weights` to count them.
"""

from __future__ import annotations

# fmt: off
LAYERS = frozenset({
    "Activation", "Add", "Average", "AveragePooling1D", "AveragePooling2D", "BatchNormalization",
    "Bidirectional", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Cropping1D",
    "Cropping2D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "EinsumDense", "ELU", "Embedding",
    "Flatten", "GRU", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "Identity", "InputLayer", "LSTM", "LayerNormalization", "LeakyReLU",
    "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization",
    "PReLU", "Permute", "ReLU", "Rescaling", "Reshape", "Resizing", "SeparableConv1D", "SeparableConv2D",
    "Softmax", "SpatialDropout1D", "SpatialDropout2D", "Subtract", "UpSampling1D", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D",
})
INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
})
OPERATIONS = {
    "keras.src.ops.core": frozenset({"Cast", "StopGradient"}),
    "keras.src.ops.math": frozenset({"Erf", "Logsumexp", "Rsqrt", "TopK"}),
    "keras.src.ops.nn": frozenset({
        "DepthToSpace", "Elu", "Gelu", "HardSigmoid", "LeakyRelu", "LogSigmoid", "LogSoftmax", "OneHot",
        "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus",
    }),
    "keras.src.ops.numpy": frozenset({
        "Abs", "Absolute", "Add", "All", "Any", "Argmax", "Argmin", "Average", "Ceil", "Clip",
        "Concatenate", "Cos", "Cumsum", "Divide", "Einsum", "Equal", "Exp", "ExpandDims", "Expm1", "Flip",
        "Floor", "FloorDivide", "GetItem", "Greater", "GreaterEqual", "Isfinite", "Isinf", "Isnan", "Less",
        "LessEqual", "Log", "Log1p", "LogicalAnd", "LogicalNot", "LogicalOr", "Matmul", "Max", "Maximum",
        "Mean", "Min", "Minimum", "Mod", "Moveaxis", "Multiply", "NanToNum", "Negative", "NotEqual",
        "OnesLike", "Pad", "Power", "Prod", "Ravel", "Reciprocal", "Reshape", "Round", "Sign", "Sin", "Split",
        "Sqrt", "Square", "Squeeze", "Stack", "Std", "Subtract", "Sum", "Swapaxes", "Take", "TakeAlongAxis",
        "Tanh", "Transpose", "TrueDivide", "Var", "Where", "ZerosLike",
    }),
}
CLASSES = {
    "keras": frozenset({"DTypePolicy"}),
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": frozenset({"L1", "L1L2", "L2"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    **OPERATIONS,
}
VALUES = frozenset({"__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"})
ACTIVATIONS = frozenset({
    "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "linear", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
})
DTYPES = frozenset({
    "bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint16",
    "uint32", "uint64", "uint8",
})
# fmt: on
