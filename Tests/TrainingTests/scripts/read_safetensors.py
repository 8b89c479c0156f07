"""Prints what the safetensors package reads from a file: {"metadata": {...}, "tensors": {"name": {"shape", "sum"}}}.

With a second argument, writes the same content there, in the order that the package chooses.
"""

import json
import sys

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

tensors = load_file(sys.argv[1])
with safe_open(sys.argv[1], framework="numpy") as file:
    metadata = file.metadata()
if len(sys.argv) > 2:
    save_file(tensors, sys.argv[2], metadata=metadata)
summary = {name: {"shape": list(array.shape), "sum": float(array.sum())} for name, array in tensors.items()}
print(json.dumps({"metadata": metadata, "tensors": summary}))
