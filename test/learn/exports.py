"""
Reads what Grapevine exported with the libraries of others (ONNX Runtime, safetensors, NumPy), computes the outputs for the observations of
cases.json in FOLDER, and prints by case and output how far they are from those that our engine gave: relative, absolute below 1.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors import safe_open

EPSILON = 1e-5
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def through_onnx(path, observations):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: observations})))


def convolve(x, kernel, stride):
    """Valid padding, [batch, height, width, channels]; kernel [size, size, channels, filters]."""
    size = kernel.shape[0]
    rows, columns = [(side - size) // stride + 1 for side in x.shape[1:3]]
    out = np.zeros([len(x), rows, columns, kernel.shape[3]])
    for i in range(rows):
        for j in range(columns):
            patch = x[:, i * stride : i * stride + size, j * stride : j * stride + size, :]
            out[:, i, j, :] = np.tensordot(patch, kernel, axes=3)
    return out


def chain(layers, x, tensors, prefix):
    """Layers of a chain are numbered by kind from 1."""
    numbers = {"dense": 0, "conv": 0, "layerNorm": 0}
    for layer in layers:
        kind = layer["kind"]
        numbers[kind] += 1
        name = f"{prefix}{'norm' if kind == 'layerNorm' else kind}{numbers[kind]}"
        if kind == "layerNorm":
            mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            x = (x - mean) / np.sqrt(variance + EPSILON) * tensors[f"{name}/gain"] + tensors[f"{name}/bias"]
            continue
        kernel = tensors[f"{name}/kernel"]
        x = x.reshape(len(x), -1) @ kernel if kind == "dense" else convolve(x, kernel, layer["stride"])
        x = ACTIVATIONS[layer["activation"]](x + tensors[f"{name}/bias"])
    return x


def through_safetensors(path, observations):
    with safe_open(str(path), framework="np") as file:
        network = json.loads(file.metadata()["policy"])["network"]
        tensors = {name: file.get_tensor(name).astype(np.float64) for name in file.keys()}
    torso = chain(network["torso"], observations.astype(np.float64), tensors, "")
    outputs = {vector["name"]: tensors[vector["name"]] for vector in network["vectors"]}
    for head in network["heads"]:
        hidden = chain(head["layers"], torso, tensors, f"{head['name']}/").reshape(len(observations), -1)
        outputs[head["name"]] = hidden @ tensors[f"{head['name']}/kernel"] + tensors[f"{head['name']}/bias"]
    return outputs


def differences(outputs, expected):
    found = {name: np.asarray(outputs[name], np.float64).ravel() for name in expected}
    wanted = {name: np.asarray(values, np.float64) for name, values in expected.items()}
    return {name: float(np.max(np.abs(found[name] - wanted[name]) / np.maximum(1, np.abs(wanted[name])))) for name in expected}


folder = Path(sys.argv[1])
report = {}
for case in json.loads((folder / "cases.json").read_text()):
    observations = np.asarray(case["observations"], np.float32).reshape([-1, *case["input"]])
    report[case["name"]] = {
        "onnx": differences(through_onnx(folder / case["onnx"], observations), case["outputs"]),
        "safetensors": differences(through_safetensors(folder / case["safetensors"], observations), case["outputs"]),
    }
print(json.dumps(report))
