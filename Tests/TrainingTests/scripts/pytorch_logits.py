"""Writes the logits of policies over whole trials, as PyTorch computes them in float64 from our checkpoints.

    pytorch_logits.py TRIALS OUTPUT NAME=CHECKPOINT ...

TRIALS holds what T steps of B trials show, [T, B] each; OUTPUT gets a tensor [T, B, A] for each NAME, which is that of
the checkpoint's tensors: gru, lstm, rnn.
"""

import sys

from safetensors.torch import save_file

# From here to the end of `load_recurrent` docs/checkpoints.md says the same; a test compares them.
import torch
from safetensors.torch import load_file

MODULES = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}   # --model elman is an rnn

def load_recurrent(path, name):
    weights = load_file(path)
    def part(prefix):
        return {key.removeprefix(prefix): w for key, w in weights.items() if key.startswith(prefix)}
    core, head = part(f"policy.{name}."), part("policy.head.")
    layers = sum(key.startswith("weight_ih") for key in core)
    module = MODULES[name](core["weight_ih_l0"].shape[1], core["weight_hh_l0"].shape[1], layers)
    module.load_state_dict(core)
    linear = torch.nn.Linear(*reversed(head["weight"].shape))
    linear.load_state_dict(head)
    return torch.nn.ModuleList([module, linear])


def recurrent_logits(path, name, trials):
    module, linear = load_recurrent(path, name).double()
    actions = linear.out_features
    previous = trials["previous_actions"].long()
    one_hot = torch.nn.functional.one_hot(previous + 1, actions + 1)[..., 1:]
    x = torch.cat([one_hot, trials["previous_rewards"][..., None], trials["episode_ends"][..., None]], dim=-1)
    return linear(module(x.double())[0])


trials = load_file(sys.argv[1])
with torch.no_grad():
    logits = {name: recurrent_logits(path, name, trials)
              for name, path in (argument.split("=", 1) for argument in sys.argv[3:])}
save_file({name: value.float().contiguous() for name, value in logits.items()}, sys.argv[2])
