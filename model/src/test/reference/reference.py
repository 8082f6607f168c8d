# SPDX-License-Identifier: Apache-2.0
"""The architectures once more, written after their papers with numpy alone, in double precision.

    python3 reference.py FOLDER

writes a tiny model of random weights for each, NAME.gguf, and its logits, NAME.logits, for the
tokens of ArchitectureTest. The files in src/test/resources/dev/consort/model/arch whose names end
with -tiny-f16 were made by it.
"""

import math
import struct
import sys

import numpy as np

TOKENS = 40
NEOX = {"qwen2", "qwen3", "qwen3moe", "phi3", "gemma2", "gemma3", "gpt-oss", "seed_oss"}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)))


def tokens(vocabulary):
    return [(31 * i * i + 17 * i + 7) % vocabulary for i in range(TOKENS)]


class Model:
    """What a file holds: keys without the architecture's prefix, and weights by name."""

    def __init__(self, architecture, keys, weights):
        self.architecture = architecture
        self.keys = keys
        self.weights = weights

    def key(self, name, otherwise=0):
        return self.keys.get(name, otherwise)

    def has(self, name):
        return name in self.weights

    def linear(self, x, name):
        y = x @ self.weights[name + ".weight"].T
        return y + self.weights[name + ".bias"] if self.has(name + ".bias") else y

    def norm(self, x, name):
        mean = (x * x).mean(-1, keepdims=True)
        scaled = x / np.sqrt(mean + self.key("attention.layer_norm_rms_epsilon"))
        return scaled * self.weights[name + ".weight"]

    def logits(self, ids):
        gemma = self.architecture.startswith("gemma")
        x = self.weights["token_embd.weight"][ids].astype(float)
        if gemma:
            x = x * np.float32(math.sqrt(self.key("embedding_length")))
        x = x * (self.key("embedding_scale") or 1)
        residual = self.key("residual_scale") or 1
        own_norm = self.architecture in ("gpt-oss", "seed_oss")
        for layer in range(self.key("block_count")):
            p = "blk.%d." % layer
            y = self.attention(self.norm(x, p + "attn_norm"), layer, p)
            x = x + residual * (self.norm(y, p + "post_attention_norm") if gemma else y)
            h = self.norm(x, p + ("post_attention_norm" if own_norm else "ffn_norm"))
            y = self.experts(h, p) if self.key("expert_count") else self.feed_forward(h, p)
            x = x + residual * (self.norm(y, p + "post_ffw_norm") if gemma else y)
        head = "output" if self.has("output.weight") else "token_embd"
        y = self.linear(self.norm(x, "output_norm"), head) / (self.key("logit_scale") or 1)
        cap = self.key("final_logit_softcapping")
        return cap * np.tanh(y / cap) if cap else y

    def attention(self, x, layer, p):
        count = len(x)
        heads, groups = self.key("attention.head_count"), self.key("attention.head_count_kv")
        width = self.key("attention.key_length")
        if self.has(p + "attn_qkv.weight"):
            cuts = [heads * width, (heads + groups) * width]
            q, k, v = np.split(self.linear(x, p + "attn_qkv"), cuts, axis=1)
        else:
            q, k, v = (self.linear(x, p + name) for name in ("attn_q", "attn_k", "attn_v"))
        q, k, v = (part.reshape(count, -1, width) for part in (q, k, v))
        if self.has(p + "attn_q_norm.weight"):
            q, k = self.norm(q, p + "attn_q_norm"), self.norm(k, p + "attn_k_norm")
        near = self.is_near(layer)
        if self.has_positions(layer):
            q, k = self.rotate(q, near), self.rotate(k, near)
        position = np.arange(count)
        temperature = self.key("attention.temperature_scale")
        if temperature:
            length = self.key("rope.scaling.original_context_length")
            q = q * (1 + temperature * np.log(1 + position // length))[:, None, None]
        k, v = (np.repeat(part, heads // groups, axis=1) for part in (k, v))
        scores = np.einsum("thd,shd->hts", q, k)
        scores = scores * (self.key("attention.scale") or 1 / math.sqrt(width))
        cap = self.key("attn_logit_softcapping")
        scores = cap * np.tanh(scores / cap) if cap else scores
        distance = position[:, None] - position[None]
        hidden = (distance < 0) | (near & (distance >= self.key("attention.sliding_window")))
        scores = np.where(hidden[None], -np.inf, scores)
        if self.has(p + "attn_sinks.weight"):
            sinks = self.weights[p + "attn_sinks.weight"][:, None, None]
            sinks = np.broadcast_to(sinks, (heads, count, 1))
            shares = softmax(np.concatenate([scores, sinks], -1))[..., :-1]
        else:
            shares = softmax(scores)
        y = np.einsum("hts,shd->thd", shares, v).reshape(count, -1)
        return self.linear(y, p + "attn_output")

    def is_near(self, layer):
        period = {"gemma2": 2, "gpt-oss": 2, "gemma3": 6}.get(self.architecture, 0)
        return period > 0 and layer % period < period - 1

    def has_positions(self, layer):
        if self.architecture == "smollm3":
            return (layer + 1) % 4 != 0
        return self.key("rope.scaling.finetuned", True)

    def rotate(self, x, near):
        """Rotary positions; stretched by YaRN (Peng et al., 2023) or by factors where asked for."""
        dims = self.key("rope.dimension_count", self.key("attention.key_length"))
        stretch = self.key("rope.scaling.factor") or 1
        base = self.key("rope.freq_base")
        if near and self.architecture == "gemma3":
            base, stretch = 10_000, 1
        i = np.arange(dims // 2)
        frequency = base ** (-2 * i / dims)
        original = self.key("rope.scaling.original_context_length")
        name = "long" if TOKENS > original else "short"
        if self.has("rope_factors_%s.weight" % name):
            frequency = frequency / self.weights["rope_factors_%s.weight" % name]
        magnitude = self.key("rope.scaling.attn_factor") or 1
        slow = frequency / stretch
        if self.key("rope.scaling.type") == "yarn":

            def turns(count):
                return dims * math.log(original / (count * 2 * math.pi)) / (2 * math.log(base))

            low, high = max(0, math.floor(turns(32))), min(dims - 1, math.ceil(turns(1)))
            kept = 1 - np.clip((i - low) / max(0.001, high - low), 0, 1)
            frequency = slow * (1 - kept) + frequency * kept
            magnitude *= 1 + 0.1 * math.log(stretch)
            magnitude /= 1 + 0.1 * self.key("rope.scaling.yarn_log_multiplier") * math.log(stretch)
        else:
            frequency = slow
        angle = np.arange(len(x))[:, None] * frequency[None]
        cos, sin = (magnitude * f(angle)[:, None, :] for f in (np.cos, np.sin))
        y = x.copy()
        neox = self.architecture in NEOX
        first = slice(0, dims // 2) if neox else slice(0, dims, 2)
        second = slice(dims // 2, dims) if neox else slice(1, dims, 2)
        y[..., first] = x[..., first] * cos - x[..., second] * sin
        y[..., second] = x[..., first] * sin + x[..., second] * cos
        return y

    def feed_forward(self, x, p):
        if self.has(p + "ffn_gate.weight"):
            gate, up = self.linear(x, p + "ffn_gate"), self.linear(x, p + "ffn_up")
        else:
            gate, up = np.split(self.linear(x, p + "ffn_up"), 2, axis=1)
        act = gelu if self.architecture.startswith("gemma") else silu
        return self.linear(act(gate) * up, p + "ffn_down")

    def experts(self, x, p):
        oss = self.architecture == "gpt-oss"
        scores = self.linear(x, p + "ffn_gate_inp")
        rated = scores if oss else softmax(scores)
        y = np.zeros_like(x)
        for t, row in enumerate(x):
            chosen = np.argsort(-rated[t], kind="stable")[: self.key("expert_used_count")]
            share = rated[t, chosen]
            share = softmax(share) if oss else share / share.sum()
            for expert, weight in zip(chosen, share):
                y[t] += weight * self.expert(row, p, expert, oss)
        return y

    def expert(self, row, p, expert, oss):
        def project(v, name):
            y = self.weights[p + name + ".weight"][expert] @ v
            return y + self.weights[p + name + ".bias"][expert] if oss else y

        gate, up = project(row, "ffn_gate_exps"), project(row, "ffn_up_exps")
        if oss:
            gate, up = np.minimum(gate, 7), np.clip(up, -7, 7)
            return project(gate / (1 + np.exp(-1.702 * gate)) * (up + 1), "ffn_down_exps")
        return project(silu(gate) * up, "ffn_down_exps")


def synthesize(architecture, seed, tied=False, **more):
    """A tiny model of random weights; keys beside the usual ones in more."""
    keys = {
        "context_length": 512,
        "embedding_length": 32,
        "block_count": 2,
        "feed_forward_length": 48,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.key_length": 16,
        "attention.value_length": 16,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "vocab_size": 64,
        "rope.freq_base": 10000.0,
    }
    keys.update(more.pop("keys", {}))
    keys = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in keys.items()}
    random = np.random.default_rng(seed)
    weights = {}
    wide, inner = keys["embedding_length"], keys["feed_forward_length"]
    vocabulary, experts = keys["vocab_size"], keys.get("expert_count", 0)
    head = keys["attention.key_length"]
    q, kv = head * keys["attention.head_count"], head * keys["attention.head_count_kv"]

    def matrix(name, *shape):
        values = random.standard_normal(shape) / math.sqrt(shape[-1])
        weights[name] = values.astype("<f2")

    def vector(name, *shape, mean=0.0, deviation=0.3):
        weights[name] = (mean + deviation * random.standard_normal(shape)).astype("<f4")

    def norm(name, size=wide):
        vector(name + ".weight", size, mean=1.0, deviation=0.1)

    def linear(name, rows, columns, bias):
        matrix(name + ".weight", rows, columns)
        if bias:
            vector(name + ".bias", rows)

    oss, gemma = architecture == "gpt-oss", architecture.startswith("gemma")
    bias = architecture in ("qwen2", "gpt-oss", "seed_oss")
    fused = architecture == "phi3"
    matrix("token_embd.weight", vocabulary, wide)
    if not tied:
        linear("output", vocabulary, wide, architecture == "qwen2")
    norm("output_norm")
    for name, last in more.get("factors", {}).items():
        weights["rope_factors_%s.weight" % name] = np.linspace(1, last, head // 2).astype("<f4")
    for layer in range(keys["block_count"]):
        p = "blk.%d." % layer
        norm(p + "attn_norm")
        if fused:
            linear(p + "attn_qkv", q + 2 * kv, wide, bias)
        else:
            for name, rows in (("q", q), ("k", kv), ("v", kv)):
                linear(p + "attn_" + name, rows, wide, bias)
        linear(p + "attn_output", wide, q, oss)
        if architecture in ("qwen3", "qwen3moe", "gemma3"):
            norm(p + "attn_q_norm", head)
            norm(p + "attn_k_norm", head)
        if oss:
            vector(p + "attn_sinks.weight", keys["attention.head_count"])
        if gemma:
            norm(p + "post_attention_norm")
            norm(p + "post_ffw_norm")
        norm(p + ("post_attention_norm" if oss or architecture == "seed_oss" else "ffn_norm"))
        if experts:
            vector(p + "ffn_gate_inp.weight", experts, wide)
            if oss:
                vector(p + "ffn_gate_inp.bias", experts)
            for name, rows, columns in (
                ("gate", inner, wide),
                ("up", inner, wide),
                ("down", wide, inner),
            ):
                matrix(p + "ffn_%s_exps.weight" % name, experts, rows, columns)
                if oss:
                    vector(p + "ffn_%s_exps.bias" % name, experts, rows)
        else:
            if not fused:
                linear(p + "ffn_gate", inner, wide, False)
            linear(p + "ffn_up", 2 * inner if fused else inner, wide, False)
            linear(p + "ffn_down", wide, inner, False)
    return Model(architecture, keys, weights)


def write(model, path):
    """GGUF, version 3."""

    def text(value):
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    def value(v):
        if isinstance(v, bool):
            return struct.pack("<I?", 7, v)
        if isinstance(v, int):
            return struct.pack("<II", 4, v)
        if isinstance(v, float):
            return struct.pack("<If", 6, v)
        return struct.pack("<I", 8) + text(v)

    keys = {
        "general.architecture": model.architecture,
        "general.name": "random weights",
        "tokenizer.ggml.model": "no_vocab",
    }
    keys.update({model.architecture + "." + k: v for k, v in model.keys.items()})
    head = b"GGUF" + struct.pack("<IQQ", 3, len(model.weights), len(keys))
    head += b"".join(text(k) + value(v) for k, v in keys.items())
    data = b""
    for name, w in model.weights.items():
        shape = struct.pack("<I%dQ" % w.ndim, w.ndim, *w.shape[::-1])
        kind = 1 if w.dtype == np.dtype("<f2") else 0
        head += text(name) + shape + struct.pack("<IQ", kind, len(data))
        data += w.tobytes() + bytes(-w.nbytes % 32)
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32) + data)


YARN = {
    "rope.scaling.type": "yarn",
    "rope.scaling.factor": 4.0,
    "rope.scaling.original_context_length": 16,
}
EXPERTS = {"expert_count": 4, "expert_used_count": 2, "feed_forward_length": 32}
GRANITE = {
    "embedding_scale": 2.0,
    "residual_scale": 0.5,
    "attention.scale": 0.2,
    "logit_scale": 4.0,
}
TINY = {
    "llama": dict(keys={"attention.scale": 0.0}),
    "llama-moe": dict(keys=EXPERTS),
    "mistral3": dict(
        keys={
            **YARN,
            "rope.scaling.yarn_log_multiplier": 0.5,
            "attention.temperature_scale": 0.3,
        }
    ),
    "qwen2": dict(),
    "qwen3": dict(keys=YARN, tied=True),
    "qwen3moe": dict(keys=EXPERTS),
    "gpt-oss": dict(keys={**YARN, **EXPERTS, "attention.sliding_window": 7}),
    "gemma2": dict(
        keys={
            "attention.sliding_window": 9,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 3.0,
        },
        tied=True,
    ),
    "gemma3": dict(
        keys={
            "block_count": 7,
            "feed_forward_length": 32,
            "attention.sliding_window": 9,
            "rope.freq_base": 100000.0,
            "rope.scaling.type": "linear",
            "rope.scaling.factor": 8.0,
        },
        tied=True,
    ),
    "phi3": dict(
        keys={
            "rope.scaling.original_context_length": 16,
            "rope.scaling.attn_factor": 1.2,
        },
        factors={"long": 30, "short": 2},
    ),
    "granite": dict(keys=GRANITE, tied=True),
    "granite-plain": dict(keys={**GRANITE, "rope.scaling.finetuned": False}, tied=True),
    "smollm3": dict(keys={"block_count": 5, "feed_forward_length": 32}, tied=True),
    "seed_oss": dict(),
}


def main(folder):
    for seed, (name, options) in enumerate(TINY.items()):
        architecture = name.removesuffix("-moe").removesuffix("-plain")
        model = synthesize(architecture, seed, **options)
        path = "%s/%s-tiny-f16" % (folder, name)
        write(model, path + ".gguf")
        model.logits(tokens(model.key("vocab_size"))).astype("<f4").tofile(path + ".logits")


if __name__ == "__main__":
    main(sys.argv[1])
