"""Writes the logits of a transformer over whole trials, as PyTorch computes them in float64 from our checkpoint.

    pytorch_transformer.py TRIALS OUTPUT CHECKPOINT HEADS

TRIALS holds what T steps of B trials show, [T, B] each; OUTPUT gets `logits` [T, B, A].
"""

import sys

from safetensors.torch import save_file

# From here to the end of `transformer_logits` docs/checkpoints.md says the same; a test compares them.
import torch
from safetensors.torch import load_file

def load_transformer(path, heads):
    weights = {key: w.double() for key, w in load_file(path).items()}
    core = {key.removeprefix("policy.transformer."): w for key, w in weights.items() if ".transformer." in key
            and key.startswith("policy.")}
    inner, width = core["layers.0.linear1.weight"].shape
    layer = torch.nn.TransformerEncoderLayer(width, heads, inner, dropout=0, activation="gelu", norm_first=True)
    layers = 1 + max(int(key.split(".")[1]) for key in core if key.startswith("layers."))
    module = torch.nn.TransformerEncoder(layer, layers, torch.nn.LayerNorm(width), enable_nested_tensor=False).double()
    module.load_state_dict(core)
    return module, weights

def transformer_logits(path, heads, x):      # x [T, B, I]: observation, previous action (one-hot), reward, flag
    module, weights = load_transformer(path, heads)
    linear, steps = torch.nn.functional.linear, torch.arange(len(x))
    shown = linear(x.double(), weights["policy.embedding.weight"], weights["policy.embedding.bias"])
    shown = shown + torch.log1p(steps)[:, None, None] * weights["policy.step_embedding.weight"][:, 0]
    sequence = torch.cat([weights["policy.first_token"].expand(1, x.shape[1], -1), shown])
    mask = torch.nn.Transformer.generate_square_subsequent_mask(len(sequence), dtype=torch.float64)
    states = module(sequence, mask=mask, is_causal=True)[1:]
    return linear(states, weights["policy.head.weight"], weights["policy.head.bias"])


trials = load_file(sys.argv[1])
previous = trials["previous_actions"].long()
one_hot = torch.nn.functional.one_hot(previous + 1)[..., 1:]
x = torch.cat([one_hot, trials["previous_rewards"][..., None], trials["episode_ends"][..., None]], dim=-1)
with torch.no_grad():
    logits = transformer_logits(sys.argv[3], int(sys.argv[4]), x)
save_file({"logits": logits.float().contiguous()}, sys.argv[2])
