#!/usr/bin/env python3
"""Loads a published GRU or LSTM of rl2x into PyTorch, and replays the trial that results.json holds.

    python3 scripts/zoo_to_pytorch.py bench/zoo/bandit10-gru

prints the modules and the largest difference between PyTorch's logits and rl2x's; exit code 1 if it is above 1e-4 (float32
sums in another order give about 1e-6). From a program:

    policy = load_policy("bench/zoo/bandit10-gru")
    logits, memory = policy(vectors, previous_actions, previous_rewards, episode_ends, memory)

Needs PyTorch and nothing else.
"""

import base64
import json
import pathlib
import struct
import sys

try:
    import torch
except ImportError:
    sys.exit("zoo_to_pytorch: there is no PyTorch for this Python; install it with: python3 -m pip install torch")

TYPES = {"F32": (torch.float32, 4), "F16": (torch.float16, 2)}


def read_safetensors(path):
    """The tensors of a file by name, in float32."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        kind, _ = TYPES[entry["dtype"]]
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(bytearray(data[begin:end]), dtype=kind) if end > begin else torch.empty(0, dtype=kind)
        tensors[name] = values.reshape(entry["shape"]).float()
    return tensors


def part(tensors, prefix):
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class PixelEncoder(torch.nn.Module):
    """What a frame, the previous action, reward and flag are turned into (models/PixelEncoder.swift)."""

    def __init__(self, weights, actions):
        super().__init__()
        channels = weights["conv1.weight"].shape[1]
        features, inputs = weights["fc.weight"].shape
        self.conv1 = torch.nn.Conv2d(channels, 16, 5, stride=2)
        self.conv2 = torch.nn.Conv2d(16, 16, 5, stride=2)
        self.action_embedding = torch.nn.Embedding(actions, features)
        self.fc = torch.nn.Linear(inputs, features)
        self.load_state_dict(weights)

    def forward(self, images, actions, rewards, ends):
        frames = images.permute(0, 3, 1, 2) / 127.5 - 1
        seen = torch.relu(self.conv2(torch.relu(self.conv1(frames)))).permute(0, 2, 3, 1).flatten(1)
        done = self.action_embedding(actions.clamp(min=0)) * (actions >= 0)[:, None]
        return torch.relu(self.fc(torch.cat([seen, done, rewards[:, None], ends[:, None]], 1)))


class Policy(torch.nn.Module):
    """Encoder, GRU or LSTM, and head of one policy, for one trial at a time."""

    def __init__(self, tensors, kind, actions):
        super().__init__()
        self.actions = actions
        encoder = part(tensors, "policy.encoder.")
        self.encoder = PixelEncoder(encoder, actions) if encoder else None
        core, head = part(tensors, f"policy.{kind}."), part(tensors, "policy.head.")
        module = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind]
        self.core = module(core["weight_ih_l0"].shape[1], core["weight_hh_l0"].shape[1])
        self.core.load_state_dict(core)
        self.head = torch.nn.Linear(head["weight"].shape[1], head["weight"].shape[0])
        self.head.load_state_dict(head)

    def forward(self, observations, previous_actions, previous_rewards, episode_ends, memory=None):
        """Logits [T, A] of T steps of a trial, and the memory after them.

        observations: [T, width], or [T, height, width, channels] bytes; previous_actions: [T], -1 at the first step of a
        trial; memory: of the step before, None at the start of a trial.
        """
        if self.encoder:
            inputs = self.encoder(observations.float(), previous_actions, previous_rewards, episode_ends)
        else:
            actions = torch.nn.functional.one_hot(previous_actions.clamp(min=0), self.actions).float()
            actions = actions * (previous_actions >= 0)[:, None]
            facts = torch.stack([previous_rewards, episode_ends], 1)
            inputs = torch.cat([observations, actions, facts], 1)
        states, memory = self.core(inputs, memory)
        return self.head(states), memory


def load_results(folder):
    return json.loads((pathlib.Path(folder) / "results.json").read_text())


def load_policy(folder):
    """The policy of a published folder."""
    results = load_results(folder)
    if results["model"] not in ("gru", "lstm"):
        sys.exit(f"zoo_to_pytorch: {folder} is a {results['model']}; this script loads gru and lstm")
    tensors = read_safetensors(pathlib.Path(folder) / "model.safetensors")
    return Policy(tensors, results["model"], tensors["policy.head.bias"].shape[0]).eval()


def recorded_trial(results):
    """Inputs and logits of the trial that results.json holds."""
    sample = results["sample"]
    if sample.get("images"):
        frames = [torch.frombuffer(bytearray(base64.b64decode(one)), dtype=torch.uint8) for one in sample["images"]]
        observations = torch.stack(frames).reshape(len(frames), *sample["image_shape"])
    else:
        observations = torch.tensor(sample["vectors"], dtype=torch.float32).reshape(len(sample["logits"]), -1)
    return (
        observations,
        torch.tensor(sample["previous_actions"]),
        torch.tensor(sample["previous_rewards"], dtype=torch.float32),
        torch.tensor(sample["episode_ends"], dtype=torch.float32),
    ), torch.tensor(sample["logits"])


def main(arguments):
    if len(arguments) != 1 or not (pathlib.Path(arguments[0]) / "results.json").is_file():
        sys.exit("zoo_to_pytorch: name one folder of a published policy, such as bench/zoo/bandit10-gru")
    policy, results = load_policy(arguments[0]), load_results(arguments[0])
    print(policy)
    if not results.get("sample"):
        sys.exit("zoo_to_pytorch: its results.json holds no trial to replay")
    inputs, logits = recorded_trial(results)
    with torch.no_grad():
        ours, _ = policy(*inputs)
        # The same one step at a time, with the memory handed on.
        memory, steps = None, []
        for step in range(len(logits)):
            one, memory = policy(*(column[step : step + 1] for column in inputs), memory)
            steps.append(one)
    largest = max((ours - logits).abs().max().item(), (torch.cat(steps) - logits).abs().max().item())
    print(f"{len(logits)} steps replayed; largest difference of a logit: {largest:.2e}")
    sys.exit(0 if largest < 1e-4 else "zoo_to_pytorch: the logits are not those that rl2x recorded")


if __name__ == "__main__":
    main(sys.argv[1:])
