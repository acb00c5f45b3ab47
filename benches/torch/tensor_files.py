"""Reads and writes safetensors files with nothing but the standard library and PyTorch.

A file is the length of its header (8 bytes, little endian), the header (JSON: type, shape and place
of each tensor, and a dictionary of strings under `__metadata__`), and the tensors' bytes.
"""

import ctypes
import json
import pathlib
import struct

import torch

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "I64": torch.int64,
    "I32": torch.int32,
    "U32": torch.uint32,
    "U8": torch.uint8,
}
NAMES = {dtype: name for name, dtype in TYPES.items()}


def read(path: str | pathlib.Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a file by name, and its metadata."""
    raw = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        # A buffer of its own is aligned, whatever stands before it in the file.
        flat = torch.frombuffer(bytearray(raw[begin:end]), dtype=TYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def write(path: str | pathlib.Path, tensors: dict[str, torch.Tensor]) -> None:
    """Writes a file of these tensors, without metadata."""
    header, bodies, place = {}, [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        body = ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + len(body)],
        }
        bodies.append(body)
        place += len(body)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(bodies)
