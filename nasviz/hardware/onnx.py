"""Networks on ONNX Runtime, in float32 and int8: a second backend on the same processor. Needs nasviz[onnx]."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from .measure import Latency, _images, measure


def export(network: nn.Module, shape: Sequence[int], path: str | Path) -> Path:
    """Write a network as an ONNX file by `torch.export`: with weights, in evaluation mode, for this batch size only.

    Raises
    ------
    ModuleNotFoundError
        Without the optional packages; the message has the command that installs them.
    """
    _needs("onnx", "onnxscript")
    was, path = network.training, Path(path)
    try:
        with _quiet():
            program = torch.onnx.export(network.eval(), (_images(shape),), dynamo=True, verbose=False)
            cast("torch.onnx.ONNXProgram", program).save(str(path), external_data=False)
    finally:
        network.train(was)
    return path


def session(network: nn.Module, shape: Sequence[int], *, threads: int = 1, int8: bool = False):
    """Return a function from a float32 array of ``shape`` to the network's output, computed by ONNX Runtime.

    Parameters
    ----------
    int8 : bool
        True takes activations in 8 bits and weights in 7 of 8, with ranges from eight batches of normal noise (static,
        QDQ). Such a network shows the speed of int8, not its accuracy.
    """
    _needs("onnx", "onnxscript", "onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    with tempfile.TemporaryDirectory() as folder:
        path = export(network, shape, Path(folder, "network.onnx"))
        if int8:
            path = _quantized(path, shape)
        engine = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    name = engine.get_inputs()[0].name
    return lambda images: engine.run(None, {name: images})[0]


def latency(network: nn.Module, shape: Sequence[int], *, threads: int = 1, int8: bool = False, **how) -> Latency:
    """Measure one forward pass by ONNX Runtime, in milliseconds. Arguments and errors as `nasviz.hardware.latency`."""
    run, images = session(network, shape, threads=threads, int8=int8), _images(shape).numpy()
    return measure(lambda: run(images), **how)


def _quantized(path: Path, shape: Sequence[int]) -> Path:
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Noise(CalibrationDataReader):
        def __init__(self, name: str):
            rng = np.random.default_rng(0)
            self.batches = iter([{name: rng.standard_normal(shape, np.float32)} for _ in range(8)])

        def get_next(self):
            return next(self.batches, None)

    import onnx

    ready, out = path.with_name("ready.onnx"), path.with_name("int8.onnx")
    with _quiet():
        quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
        noise = Noise(onnx.load(ready).graph.input[0].name)
        # 7 bits, since processors without VNNI add two products in 16 bits, which 8-bit weights would overflow
        quantize_static(str(ready), str(out), noise, reduce_range=True)
    return out


def _needs(*names: str) -> None:
    from importlib.util import find_spec

    if missing := [name for name in names if find_spec(name) is None]:
        raise ModuleNotFoundError(f"this needs {', '.join(missing)}: pip install 'nasviz[onnx]'")


@contextmanager
def _quiet():
    """Suppress the exporters' many messages, which concern no user of this package."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
