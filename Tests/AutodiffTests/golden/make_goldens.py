"""Writes the golden numbers of this folder and of Tests/ModelsTests/golden: values, J v and J^T u in float64.

    python3 -m venv .venv && .venv/bin/pip install torch transformers && .venv/bin/python Tests/AutodiffTests/golden/make_goldens.py

Inputs are multiples of 1/64, which float32 holds exactly, so what a test sees is the error of its own arithmetic.
J v is taken by differentiating <J^T u, v> by u, which every module of PyTorch allows.
"""

import importlib
import json
import math
import pathlib
import types

import torch

torch.set_default_dtype(torch.float64)
here = pathlib.Path(__file__).resolve().parent
models = here.parent.parent / "ModelsTests" / "golden"
generator = torch.Generator().manual_seed(20240607)


def grid(*shape, scale=1.0):
    """Normal numbers, rounded to 1/64."""
    return torch.round(torch.randn(*shape, generator=generator) * scale * 64) / 64


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def write(folder, name, function, operands, extra=None):
    """`function` maps the tensors of `operands`, a dictionary in the order of the file, to one tensor."""
    points = [tensor.clone().requires_grad_() for tensor in operands.values()]
    tangents = [grid(*tensor.shape, scale=0.5) for tensor in points]
    value = function(*points)
    cotangent = grid(*value.shape, scale=0.5)
    gradients = torch.autograd.grad(value, points, cotangent)
    dummy = torch.zeros_like(value, requires_grad=True)
    pulled = torch.autograd.grad(function(*points), points, dummy, create_graph=True)
    product = sum((g * t).sum() for g, t in zip(pulled, tangents))
    (tangent,) = torch.autograd.grad(product, dummy)
    content = {
        "operands": [
            {"name": key, "shape": list(p.shape), "value": numbers(p), "tangent": numbers(t), "gradient": numbers(g)}
            for key, p, t, g in zip(operands, points, tangents, gradients)
        ],
        "result": {"shape": list(value.shape), "value": numbers(value), "tangent": numbers(tangent),
                   "cotangent": numbers(cotangent)},
        "torch": torch.__version__.split("+")[0],
    }
    content.update(extra or {})
    # One operand a line: short, and a change shows where it is.
    text = json.dumps(content).replace('{"name"', '\n{"name"').replace('"result"', '\n"result"')
    (folder / f"{name}.json").write_text(text + "\n")


def linear():
    write(here, "linear", torch.nn.functional.linear,
          {"x": grid(5, 4), "weight": grid(3, 4), "bias": grid(3)})


def gelu():
    points = torch.tensor([-6.0, -3.0, -1.0, -0.25, 0.0, 0.125, 0.75, 2.0, 4.0, 8.0])
    write(here, "gelu", torch.nn.functional.gelu, {"x": torch.cat([points, grid(11, scale=2)]).reshape(3, 7)})


def layer_norm():
    write(here, "layer_norm", lambda x, w, b: torch.nn.functional.layer_norm(x, (7,), w, b),
          {"x": grid(4, 7, scale=2), "weight": grid(7), "bias": grid(7)})


def convolution():
    """Images and results with channels last, as rl2x holds them."""
    def function(x, w, b):
        y = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), w, b, stride=2, padding=1)
        return y.permute(0, 2, 3, 1).contiguous()
    write(here, "convolution", function,
          {"x": grid(2, 6, 5, 3), "weight": grid(4, 3, 3, 2), "bias": grid(4)})


def attention():
    """Lanes of 5, 4 and 2 steps, packed time-major; 2 heads of 3; a window and slopes in the second file."""
    lengths, heads, width = [5, 4, 2], 2, 3
    rows = [[sum(sum(1 for n in lengths if n > s) for s in range(t)) + b for t in range(n)]
            for b, n in enumerate(lengths)]

    def function(window, slopes):
        def apply(q, k, v):
            y = torch.zeros_like(q)
            for lane in rows:
                places = torch.tensor(lane)
                cut = lambda m: m[places].reshape(len(lane), heads, width).transpose(0, 1)
                t = torch.arange(len(lane))
                distance = t[:, None] - t[None, :]
                bias = -torch.tensor(slopes)[:, None, None] * distance
                bias = bias.masked_fill((distance < 0) | (distance >= window), -math.inf)
                out = torch.nn.functional.scaled_dot_product_attention(cut(q), cut(k), cut(v), attn_mask=bias)
                y = y.index_copy(0, places, out.transpose(0, 1).reshape(len(lane), heads * width))
            return y
        return apply

    shape = (sum(lengths), heads * width)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        for name, window, slopes in [("attention", 99, [0.0, 0.0]), ("attention_window", 3, [0.5, 0.0625])]:
            write(here, name, function(window, slopes), {"q": grid(*shape), "k": grid(*shape), "v": grid(*shape)})


def recurrent(folder, name, module, steps, lanes, inputs, hidden, outputs, x=None, extra=None, prefix=""):
    """`module` and torch.nn.Linear over whole trials; x [steps, lanes, inputs] is an operand unless given."""
    core, head = module(inputs, hidden), torch.nn.Linear(hidden, outputs)
    parameters = {f"{prefix}{key}": grid(*p.shape, scale=0.5) for key, p in core.named_parameters()}
    head_parameters = {f"head.{key}": grid(*p.shape, scale=0.5) for key, p in head.named_parameters()}

    def run(x, *values):
        named = dict(zip([key.removeprefix(prefix) for key in parameters], values))
        states, _ = torch.func.functional_call(core, named, (x,))
        return torch.nn.functional.linear(states, *values[len(parameters):])

    if x is None:
        operands = {"x": grid(steps, lanes, inputs), **parameters, **head_parameters}
        write(folder, name, run, operands, extra)
    else:
        write(folder, name, lambda *values: run(x, *values), {**parameters, **head_parameters}, extra)


def policy_inputs(steps, lanes, observed, actions):
    """What the catalogue's models see in trials: features [steps, lanes, I], and the same as the tests read it."""
    observations, rewards = grid(steps, lanes, observed), grid(steps, lanes)
    previous = torch.randint(0, actions, (steps, lanes), generator=generator)
    ends = torch.randint(0, 2, (steps, lanes), generator=generator).to(torch.float64)
    rewards[0], ends[0], previous[0] = 0, 0, -1
    one_hot = torch.nn.functional.one_hot(previous + 1, actions + 1)[..., 1:].to(torch.float64)
    x = torch.cat([observations, one_hot, rewards[..., None], ends[..., None]], dim=-1)
    return x, {"inputs": {"steps": steps, "lanes": lanes, "observations": numbers(observations),
                          "previous_actions": previous.reshape(-1).tolist(), "previous_rewards": numbers(rewards),
                          "episode_ends": numbers(ends)}}


def recurrent_policy(name, module, prefix):
    """Trials of 6 steps in 5 lanes, 2 observed numbers and 3 actions."""
    steps, lanes, actions = 6, 5, 3
    x, extra = policy_inputs(steps, lanes, 2, actions)
    recurrent(models, name, module, steps, lanes, x.shape[-1], 4, actions, x=x, prefix=prefix, extra=extra)


def rotary():
    """Rows at some positions, 2 heads of 6 columns turned, 3 columns left alone; the rotation as complex numbers."""
    positions, heads, width = torch.tensor([0, 1, 1, 2, 7, 40]), 2, 6

    def function(x):
        angles = positions[:, None] * 10_000.0 ** (-2 * torch.arange(width // 2) / width)
        turned = x[:, :heads * width].reshape(-1, heads, 2, width // 2).permute(0, 1, 3, 2).contiguous()
        product = torch.view_as_complex(turned) * torch.polar(torch.ones_like(angles), angles)[:, None]
        back = torch.view_as_real(product).permute(0, 1, 3, 2).reshape(-1, heads * width)
        return torch.cat([back, x[:, heads * width:]], dim=1)

    write(here, "rotary", function, {"x": grid(len(positions), heads * width + 3)})


def transformer_policy():
    """torch.nn.TransformerEncoder over trials of 5 steps in 3 lanes, the first token before them; D = 6, F = 12."""
    steps, lanes, actions, width, heads, layers = 5, 3, 4, 6, 2, 2
    x, extra = policy_inputs(steps, lanes, 1, actions)
    core = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0, activation="gelu", norm_first=True),
        layers, norm=torch.nn.LayerNorm(width), enable_nested_tensor=False)
    core_names = [key for key, _ in core.named_parameters()]
    scales = [grid(*p.shape, scale=0.5) + (1 if "norm" in key and "weight" in key else 0)
              for key, p in core.named_parameters()]
    operands = {
        "embedding.weight": grid(width, x.shape[-1], scale=0.5), "embedding.bias": grid(width, scale=0.5),
        "step_embedding.weight": grid(width, 1, scale=0.5), "first_token": grid(width),
        **{f"transformer.{key}": value for key, value in zip(core_names, scales)},
        "head.weight": grid(actions, width, scale=0.5), "head.bias": grid(actions, scale=0.5)}
    counts = torch.log1p(torch.arange(steps, dtype=torch.float64))[:, None, None]
    mask = torch.nn.Transformer.generate_square_subsequent_mask(steps + 1)

    def run(*values):
        named = dict(zip(operands, values))
        shown = torch.nn.functional.linear(x, named["embedding.weight"], named["embedding.bias"])
        shown = shown + counts * named["step_embedding.weight"][:, 0]
        sequence = torch.cat([named["first_token"].expand(1, lanes, width), shown])
        inner = {key: named[f"transformer.{key}"] for key in core_names}
        states = torch.func.functional_call(core, inner, (sequence,), {"mask": mask, "is_causal": True})
        return torch.nn.functional.linear(states[1:], named["head.weight"], named["head.bias"])

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        write(models, "transformer_policy", run, operands, extra)


def gtrxl_policy():
    """GTrXL by the published gates, over trials of 5 steps in 3 lanes, the first token before them; D = 8, F = 8, a window of 3.

    Attention with rotary positions as complex numbers; every step sees the first token.
    """
    steps, lanes, actions, width, heads, window = 5, 3, 4, 8, 2, 3
    x, extra = policy_inputs(steps, lanes, 1, actions)
    operands = {"embedding.weight": grid(width, x.shape[-1], scale=0.5), "embedding.bias": grid(width, scale=0.5),
                "step_embedding.weight": grid(width, 1, scale=0.5), "first_token": grid(width)}
    prefix = "transformer.layers.0."
    operands |= {
        prefix + "self_attn.in_proj_weight": grid(3 * width, width, scale=0.5),
        prefix + "self_attn.in_proj_bias": grid(3 * width, scale=0.5),
        prefix + "self_attn.out_proj.weight": grid(width, width, scale=0.5),
        prefix + "self_attn.out_proj.bias": grid(width, scale=0.5),
        prefix + "linear1.weight": grid(width, width, scale=0.5), prefix + "linear1.bias": grid(width, scale=0.5),
        prefix + "linear2.weight": grid(width, width, scale=0.5), prefix + "linear2.bias": grid(width, scale=0.5)}
    for norm in ["norm1", "norm2"]:
        operands |= {prefix + norm + ".weight": 1 + grid(width, scale=0.5), prefix + norm + ".bias": grid(width, scale=0.5)}
    for gate in ["gate1", "gate2"]:
        operands |= {
            f"{prefix}{gate}.weight_y": grid(3 * width, width, scale=0.5),
            f"{prefix}{gate}.weight_x": grid(2 * width, width, scale=0.5),
            f"{prefix}{gate}.weight_reset": grid(width, width, scale=0.5), f"{prefix}{gate}.bias": 2 + grid(width)}
    operands |= {"transformer.norm.weight": 1 + grid(width, scale=0.5), "transformer.norm.bias": grid(width, scale=0.5),
                 "head.weight": grid(actions, width, scale=0.5), "head.bias": grid(actions, scale=0.5)}
    counts = torch.log1p(torch.arange(steps, dtype=torch.float64))[:, None, None]
    places = torch.arange(steps + 1)
    distance = places[:, None] - places[None, :]
    seen = ((distance >= 0) & (distance < window)) | (places[None, :] == 0)
    angles = places[:, None] * 10_000.0 ** (-2 * torch.arange(width // heads // 2) / (width // heads))
    turn = torch.polar(torch.ones_like(angles), angles)

    def rotate(part):
        pairs = part.unflatten(-1, (2, -1))
        turned = torch.complex(pairs[..., 0, :], pairs[..., 1, :]) * turn
        return torch.cat([turned.real, turned.imag], dim=-1)

    def run(*values):
        named = dict(zip(operands, values))
        own = {key.removeprefix(prefix): value for key, value in named.items()}

        def norm(key, y):
            return torch.nn.functional.layer_norm(y, (width,), own[key + ".weight"], own[key + ".bias"])

        def gate(key, state, branch):
            y = torch.nn.functional.gelu(branch)
            w_r, w_z, w_g = own[key + ".weight_y"].chunk(3)
            u_r, u_z = own[key + ".weight_x"].chunk(2)
            r = torch.sigmoid(y @ w_r.T + state @ u_r.T)
            z = torch.sigmoid(y @ w_z.T + state @ u_z.T - own[key + ".bias"])
            g = torch.tanh(y @ w_g.T + (r * state) @ own[key + ".weight_reset"].T)
            return (1 - z) * state + z * g

        shown = linear_map(named, "embedding", x) + counts * named["step_embedding.weight"][:, 0]
        stream = torch.cat([named["first_token"].expand(1, lanes, width), shown]).transpose(0, 1)
        qkv = torch.nn.functional.linear(
            norm("norm1", stream), own["self_attn.in_proj_weight"], own["self_attn.in_proj_bias"])
        q, k, v = [part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1)]
        scores = rotate(q) @ rotate(k).transpose(2, 3) / math.sqrt(width // heads)
        attended = torch.softmax(scores.masked_fill(~seen, -math.inf), dim=-1) @ v
        stream = gate("gate1", stream, linear_map(own, "self_attn.out_proj", attended.transpose(1, 2).flatten(2)))
        hidden = torch.nn.functional.gelu(linear_map(own, "linear1", norm("norm2", stream)))
        stream = gate("gate2", stream, linear_map(own, "linear2", hidden))
        final = torch.nn.functional.layer_norm(
            stream, (width,), named["transformer.norm.weight"], named["transformer.norm.bias"])
        return linear_map(named, "head", final[:, 1:]).transpose(0, 1).contiguous()

    write(models, "gtrxl_policy", run, operands, extra)


def snail_policy():
    """SNAIL by torch.nn.functional.conv1d with dilation, over trials of 6 steps in 3 lanes; F = 4, lags 2 and 4."""
    steps, lanes, actions, width, lags = 6, 3, 3, 4, [2, 4]
    x, extra = policy_inputs(steps, lanes, 2, actions)
    operands = {"embedding.weight": grid(width, x.shape[-1]), "embedding.bias": grid(width)}
    columns = width
    for block in range(2):
        for index in range(len(lags)):
            prefix = f"blocks.{block}.{index}."
            operands |= {prefix + "past.weight": grid(2 * width, columns, scale=0.5),
                         prefix + "present.weight": grid(2 * width, columns, scale=0.5),
                         prefix + "present.bias": grid(2 * width, scale=0.5)}
            columns += width
    operands |= {"attention.weight": grid(3 * width, columns, scale=0.5), "attention.bias": grid(3 * width, scale=0.5),
                 "attention.first": grid(3 * width),
                 "head.weight": grid(actions, columns + width, scale=0.5), "head.bias": grid(actions, scale=0.5)}
    causal = torch.ones(steps, steps + 1, dtype=torch.bool).tril(diagonal=1)

    def run(*values):
        named = dict(zip(operands, values))
        stream = linear_map(named, "embedding", x.transpose(0, 1))
        for block in range(2):
            for index, lag in enumerate(lags):
                prefix = f"blocks.{block}.{index}."
                kernel = torch.stack([named[prefix + "past.weight"], named[prefix + "present.weight"]], dim=2)
                padded = torch.nn.functional.pad(stream.transpose(1, 2), (lag, 0))
                both = torch.nn.functional.conv1d(padded, kernel, named[prefix + "present.bias"], dilation=lag)
                f, g = both.transpose(1, 2).chunk(2, dim=-1)
                stream = torch.cat([stream, torch.tanh(f) * torch.sigmoid(g)], dim=-1)
        q, k, v = linear_map(named, "attention", stream).chunk(3, dim=-1)
        _, first_k, first_v = named["attention.first"].expand(lanes, 1, 3 * width).chunk(3, dim=-1)
        scores = q @ torch.cat([first_k, k], dim=1).transpose(1, 2) / math.sqrt(width)
        read = torch.softmax(scores.masked_fill(~causal, -math.inf), dim=-1) @ torch.cat([first_v, v], dim=1)
        return linear_map(named, "head", torch.cat([stream, read], dim=-1)).transpose(0, 1).contiguous()

    write(models, "snail_policy", run, operands, extra)


def gated_mean(gates, count, share):
    """The mixer of minGRU or minLSTM by the published formulas; `share` makes z of the gates' pre-activations."""
    def parameters(width):
        return {f"{gates}.weight": grid(count * width, width, scale=0.5),
                f"{gates}.bias": grid(count * width, scale=0.5),
                "to_out.weight": grid(width, width, scale=0.5), "to_out.bias": grid(width, scale=0.5)}

    def mix(named, y):
        candidate, *rest = linear_map(named, gates, y).chunk(count, dim=-1)
        part = share(*rest)
        state, states = torch.zeros_like(candidate[:, 0]), []
        for step in range(y.shape[1]):
            state = (1 - part[:, step]) * state + part[:, step] * candidate[:, step]
            states.append(state)
        return linear_map(named, "to_out", torch.stack(states, dim=1))

    return parameters, mix


def min_lstm_share(forget_gate, input_gate):
    forget, take = torch.sigmoid(forget_gate), torch.sigmoid(input_gate)
    return take / (forget + take)


def linear_attention(heads):
    """All steps at once: scores φ(q) φ(k) of the past, divided by their sum."""
    def parameters(width):
        return {"in_proj.weight": grid(3 * width, width, scale=0.5), "in_proj.bias": grid(3 * width, scale=0.5),
                "out_proj.weight": grid(width, width, scale=0.5), "out_proj.bias": grid(width, scale=0.5)}

    def mix(named, y):
        lanes, steps, width = y.shape
        parts = linear_map(named, "in_proj", y).chunk(3, dim=-1)
        q, k, v = [part.reshape(lanes, steps, heads, -1).transpose(1, 2) for part in parts]
        q, k = 1 + torch.nn.functional.elu(q), 1 + torch.nn.functional.elu(k)
        scores = torch.tril(q @ k.transpose(2, 3))
        means = scores @ v / scores.sum(dim=-1, keepdim=True)
        return linear_map(named, "out_proj", means.transpose(1, 2).reshape(lanes, steps, width))

    return parameters, mix


def in_double_precision(module):
    """Makes a module of `transformers`, which asks for float32 by name, compute in float64."""
    class Double:
        float32 = torch.float64
        def __getattr__(self, name):
            return getattr(torch, name)
    module.torch = Double()
    torch.Tensor.float = torch.Tensor.double
    return module


def gated_delta_net(heads, taps):
    """`Qwen3_5GatedDeltaNet`, in its form without kernels for a GPU: chunks, not one step after the other."""
    module = in_double_precision(importlib.import_module("transformers.models.qwen3_5.modeling_qwen3_5"))

    def parameters(width):
        return {"in_proj.weight": grid(4 * width + 2 * heads, width, scale=0.5),
                "conv1d.weight": grid(3 * width, 1, taps, scale=0.5), "dt_bias": grid(heads), "A_log": grid(heads),
                "norm.weight": 1 + grid(width // heads, scale=0.5), "out_proj.weight": grid(width, width, scale=0.5)}

    def mix(named, y):
        width = y.shape[-1]
        core = module.Qwen3_5GatedDeltaNet(types.SimpleNamespace(
            hidden_size=width, linear_num_value_heads=heads, linear_num_key_heads=heads,
            linear_key_head_dim=width // heads, linear_value_head_dim=width // heads, linear_conv_kernel_dim=taps,
            hidden_act="silu", rms_norm_eps=1e-6, layer_types=["linear_attention"]), 0)
        weights = dict(named)
        parts = weights.pop("in_proj.weight").split([3 * width, width, heads, heads])
        weights |= {f"in_proj_{key}.weight": part for key, part in zip(["qkv", "z", "b", "a"], parts)}
        return torch.func.functional_call(core, weights, (y,))

    return parameters, mix


def linear_recurrent_unit(size):
    """All steps at once, by the powers of complex factors."""
    def parameters(width):
        return {"nu_theta_gamma_log": grid(3, size), "B": grid(2 * size, width), "C": grid(width, 2 * size),
                "D": grid(width)}

    def mix(named, y):
        nu, theta, gamma = named["nu_theta_gamma_log"]
        factor = torch.exp(torch.complex(-torch.exp(nu), torch.exp(theta)))
        take = torch.complex(*named["B"].chunk(2, dim=0))
        real, minus_imaginary = named["C"].chunk(2, dim=1)
        read = torch.complex(real, -minus_imaginary)
        inputs = torch.exp(gamma) * (y.to(take.dtype) @ take.T)
        steps = torch.arange(y.shape[1])
        distance = steps[:, None] - steps[None, :]
        powers = factor ** distance.clamp(min=0)[..., None] * (distance >= 0)[..., None]
        states = torch.einsum("tsn,bsn->btn", powers, inputs)
        return (states @ read.T).real + named["D"] * y

    return parameters, mix


def mamba(size, taps, expansion):
    """`MambaMixer`, in its form without kernels for a GPU."""
    module = in_double_precision(importlib.import_module("transformers.models.mamba.modeling_mamba"))

    def parameters(width):
        channels, rank = expansion * width, (width + 15) // 16
        return {"in_proj.weight": grid(2 * channels, width, scale=0.5),
                "conv1d.weight": grid(channels, 1, taps, scale=0.5), "conv1d.bias": grid(channels, scale=0.5),
                "x_proj.weight": grid(rank + 2 * size, channels, scale=0.5),
                "dt_proj.weight": grid(channels, rank, scale=0.5), "dt_proj.bias": grid(channels),
                "A_log": grid(channels, size), "D": grid(channels), "out_proj.weight": grid(width, channels, scale=0.5)}

    def mix(named, y):
        width = y.shape[-1]
        core = module.MambaMixer(types.SimpleNamespace(
            hidden_size=width, state_size=size, conv_kernel=taps, intermediate_size=expansion * width,
            time_step_rank=(width + 15) // 16, use_conv_bias=True, hidden_act="silu", use_mambapy=False,
            use_associative_scan=False, use_bias=False, layer_types=["mamba"]), 0, initialize_mixer_weights=False)
        return torch.func.functional_call(core.eval(), dict(named), (y,))

    return parameters, mix


def xlstm(heads):
    """`xLSTMLayer` in chunks, without its small addend to the divisor."""
    module = in_double_precision(importlib.import_module("transformers.models.xlstm.modeling_xlstm"))

    def parameters(width):
        values = {"qkv_opreact.weight": grid(4 * width, width, scale=0.5)}
        for gate in ["igate_preact", "fgate_preact"]:
            values |= {gate + ".weight": grid(heads, width, scale=0.5), gate + ".bias": grid(heads)}
        return values | {"multihead_norm.weight": 1 + grid(width, scale=0.5),
                         "out_proj.weight": grid(width, width, scale=0.5)}

    def mix(named, y):
        width = y.shape[-1]
        core = module.xLSTMLayer(types.SimpleNamespace(
            hidden_size=width, num_heads=heads, qk_dim_factor=1, v_dim_factor=1, weight_mode="single", use_bias=False,
            gate_soft_cap=None, norm_eps=1e-6, norm_reduction_force_float32=False, mode="train", chunk_size=y.shape[1],
            eps=0.0, inference_state_dtype="float64", autocast_kernel_dtype="float64", return_last_states=True))
        weights = dict(named)
        parts = weights.pop("qkv_opreact.weight").chunk(4)
        weights |= {key + ".weight": part for key, part in zip(["q", "k", "v", "ogate_preact"], parts)}
        return torch.func.functional_call(core, weights, (y,))[0]

    return parameters, mix


def linear_map(named, key, y):
    return torch.nn.functional.linear(y, named[key + ".weight"], named[key + ".bias"])


def stack_policy(name, mixer, width=4, layers=2, inner=2):
    """Residual layers with a mixer each, over trials of 6 steps in 3 lanes.

    `mixer` has two functions: the mixer's parameters for a width, and what it adds to the stream for the normalised
    rows y [lanes, steps, width].
    """
    steps, lanes, actions = 6, 3, 3
    parameters, mix = mixer
    x, extra = policy_inputs(steps, lanes, 2, actions)
    operands = {"embedding.weight": grid(width, x.shape[-1], scale=1.5), "embedding.bias": grid(width)}
    for layer in range(layers):
        prefix = f"layers.{layer}."
        operands |= {prefix + "norm1.weight": 1 + grid(width, scale=0.5), prefix + "norm1.bias": grid(width, scale=0.5)}
        operands |= {prefix + "mixer." + key: value for key, value in parameters(width).items()}
        if inner:
            operands |= {
                prefix + "norm2.weight": 1 + grid(width, scale=0.5), prefix + "norm2.bias": grid(width, scale=0.5),
                prefix + "linear1.weight": grid(inner * width, width, scale=0.5),
                prefix + "linear1.bias": grid(inner * width, scale=0.5),
                prefix + "linear2.weight": grid(width, inner * width, scale=0.5),
                prefix + "linear2.bias": grid(width, scale=0.5)}
    operands |= {"norm.weight": 1 + grid(width, scale=0.5), "norm.bias": grid(width, scale=0.5),
                 "head.weight": grid(actions, width, scale=0.5), "head.bias": grid(actions, scale=0.5)}

    def run(*values):
        named = dict(zip(operands, values))

        def norm(key, y):
            return torch.nn.functional.layer_norm(y, (width,), named[key + ".weight"], named[key + ".bias"])

        stream = linear_map(named, "embedding", x.transpose(0, 1))
        for layer in range(layers):
            prefix = f"layers.{layer}."
            own = {key.removeprefix(prefix + "mixer."): value for key, value in named.items()
                   if key.startswith(prefix + "mixer.")}
            stream = stream + mix(own, norm(prefix + "norm1", stream))
            if inner:
                hidden = torch.nn.functional.gelu(linear_map(named, prefix + "linear1", norm(prefix + "norm2", stream)))
                stream = stream + linear_map(named, prefix + "linear2", hidden)
        return linear_map(named, "head", norm("norm", stream)).transpose(0, 1).contiguous()

    write(models, name + "_policy", run, operands, extra)


linear()
gelu()
layer_norm()
convolution()
attention()
recurrent(here, "gru", torch.nn.GRU, 4, 3, 5, 6, 2)
recurrent_policy("gru_policy", torch.nn.GRU, "gru.")
recurrent(here, "lstm", torch.nn.LSTM, 4, 3, 5, 6, 2)
recurrent_policy("lstm_policy", torch.nn.LSTM, "lstm.")
recurrent_policy("elman_policy", torch.nn.RNN, "rnn.")
rotary()
transformer_policy()
stack_policy("min-gru", gated_mean("to_hidden_and_gate", 2, torch.sigmoid))
stack_policy("min-lstm", gated_mean("to_hidden_and_f_i_gate", 3, min_lstm_share))
stack_policy("linear-attention", linear_attention(heads=2))
stack_policy("delta-net", gated_delta_net(heads=2, taps=3), width=8, layers=1, inner=1)
stack_policy("lru", linear_recurrent_unit(size=3))
stack_policy("mamba", mamba(size=3, taps=3, expansion=2), inner=0)
recurrent_policy("gru_two_layers_policy", lambda inputs, width: torch.nn.GRU(inputs, width, 2), "gru.")
recurrent_policy("lstm_two_layers_policy", lambda inputs, width: torch.nn.LSTM(inputs, width, 2), "lstm.")
gtrxl_policy()
stack_policy("xlstm", xlstm(heads=2), width=8, layers=1, inner=1)
snail_policy()
