"""Writes reference.safetensors with the reference implementation (pip: torch, safetensors, numpy).

The values are spelled out again, by hand, in ReaderTests.swift.
"""
import pathlib

import torch
from safetensors.torch import save_file

inf, nan = float("inf"), float("nan")
tensors = {
    "flags": torch.tensor([True, False, True]),
    "u8": torch.tensor([0, 127, 255], dtype=torch.uint8),
    "i8": torch.tensor([-128, -1, 127], dtype=torch.int8),
    "i16": torch.tensor([[-32768, 1], [2, 32767]], dtype=torch.int16),
    "u16": torch.tensor([0, 65535], dtype=torch.uint16),
    "f16": torch.tensor([1.5, -65504.0, 2.0**-24, -0.0, inf, 0.333251953125], dtype=torch.float16),
    "bf16": torch.tensor([1.0, -3.140625, 2.0**127, -inf], dtype=torch.bfloat16),
    "i32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "u32": torch.tensor([0, 2**32 - 1], dtype=torch.uint32),
    "layer1.0.weight": torch.tensor([[1.5, -2.0, 0.1], [3.0e38, 1e-45, nan]]),
    "scalar": torch.tensor(0.1, dtype=torch.float64),
    "i64": torch.tensor([-(2**63), 2**63 - 1]),
    "u64": torch.tensor([0, 2**63 - 1], dtype=torch.uint64),
    "empty": torch.zeros(0, 4),
    "größe \"\\\n\x01/\U0001f600": torch.tensor([7], dtype=torch.uint8),
}
save_file(
    tensors,
    pathlib.Path(__file__).parent / "reference.safetensors",
    metadata={"format": "line\n\ttab \"quoted\" é\x7f"},
)
