"""The workloads of gradus-bench in PyTorch: the same models, sizes and parameter names, as PyTorch computes them fastest."""
import math
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F

# bench/workloads.cpp has the same names and sizes.
SIZES = {
    "mlp-mnist": dict(batch=128, dim=1200),
    "rnn-lm": dict(cell="RNN", batch=32, time=64, dim=256, layers=1, vocab=64),
    "gru-lm": dict(cell="GRU", batch=32, time=64, dim=256, layers=1, vocab=64),
    "lstm-lm": dict(cell="LSTM", batch=32, time=64, dim=256, layers=2, vocab=64),
    "lstm-word": dict(cell="LSTM", batch=20, time=35, dim=512, layers=2, vocab=10000),
    "bahdanau": dict(batch=64, time=20, dim=256, vocab=4000),
    "transformer": dict(batch=64, time=20, dim=256, layers=3, heads=8, ff=512, vocab=4000),
    "bert-mlm": dict(batch=32, time=64, dim=256, layers=4, heads=4, vocab=8000),
    "gpt-char": dict(batch=12, time=64, dim=128, layers=4, heads=4, vocab=65),
    "gpt-baby": dict(batch=4, time=256, dim=384, layers=6, heads=6, vocab=65),
    "gpt2-124m": dict(batch=4, time=64, dim=768, layers=12, heads=12, vocab=50257),
    "tiny-graph": dict(dim=16, ops=500),
}


class RecurrentLM(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.emb = nn.Embedding(n.vocab, n.dim)
        self.rnn = getattr(nn, n.cell)(n.dim, n.dim, n.layers, batch_first=True)
        self.head = nn.Linear(n.dim, n.vocab)

    def forward(self, ids):
        return self.head(self.rnn(self.emb(ids))[0])


class AdditiveAttention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.query, self.key = nn.Linear(dim, dim, bias=False), nn.Linear(2 * dim, dim)
        self.v = nn.Parameter(torch.randn(dim) / dim**0.5)

    def forward(self, state, keys, states):
        scores = torch.tanh(self.query(state).unsqueeze(1) + keys) @ self.v
        return (scores.softmax(-1).unsqueeze(1) @ states).squeeze(1)


class Bahdanau(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.src, self.dst = nn.Embedding(n.vocab, n.dim), nn.Embedding(n.vocab, n.dim)
        self.enc = nn.GRU(n.dim, n.dim, batch_first=True, bidirectional=True)
        self.bridge, self.cell = nn.Linear(2 * n.dim, n.dim), nn.GRUCell(3 * n.dim, n.dim)
        self.attention = AdditiveAttention(n.dim)
        self.head = nn.Linear(4 * n.dim, n.vocab)

    def forward(self, source, ids):
        states, h = self.enc(self.src(source))
        s = torch.tanh(self.bridge(torch.cat([h[0], h[1]], -1)))
        keys, emb, outs = self.attention.key(states), self.dst(ids), []
        for t in range(ids.shape[1]):
            context = self.attention(s, keys, states)
            s = self.cell(torch.cat([emb[:, t], context], -1), s)
            outs.append(torch.cat([s, context, emb[:, t]], -1))
        return self.head(torch.stack(outs, 1))


class EncoderDecoder(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.src, self.dst = nn.Embedding(n.vocab, n.dim), nn.Embedding(n.vocab, n.dim)
        self.pos = nn.Embedding(64, n.dim)
        self.tr = nn.Transformer(n.dim, n.heads, n.layers, n.layers, n.ff, dropout=0.0, batch_first=True)
        self.head = nn.Linear(n.dim, n.vocab)

    def forward(self, source, ids):
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        x = self.src(source) + self.pos.weight[: source.shape[1]]
        y = self.dst(ids) + self.pos.weight[: ids.shape[1]]
        return self.head(self.tr(x, y, tgt_mask=mask))


def attend(q, k, v, heads, causal):
    """q, k, v [B, T, D] in heads that lie side by side -> [B, T, D]."""
    b, t, d = q.shape
    q, k, v = (x.view(b, t, heads, d // heads).transpose(1, 2) for x in (q, k, v))
    if hasattr(F, "scaled_dot_product_attention"):
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    else:
        scores = q @ k.transpose(-2, -1) / math.sqrt(d // heads)
        if causal:
            scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -torch.inf)
        y = scores.softmax(-1) @ v
    return y.transpose(1, 2).reshape(b, t, d)


class GPTBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.dim, self.heads = dim, heads
        self.ln_1, self.ln_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = nn.ModuleDict(dict(c_attn=nn.Linear(dim, 3 * dim), c_proj=nn.Linear(dim, dim)))
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(dim, 4 * dim), c_proj=nn.Linear(4 * dim, dim)))

    def forward(self, x):
        q, k, v = self.attn.c_attn(self.ln_1(x)).split(self.dim, -1)
        x = x + self.attn.c_proj(attend(q, k, v, self.heads, True))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(n.vocab, n.dim), nn.Embedding(n.time, n.dim)
        self.h = nn.ModuleList(GPTBlock(n.dim, n.heads) for _ in range(n.layers))
        self.ln_f = nn.LayerNorm(n.dim)
        for x in self.parameters():
            if x.dim() > 1:
                nn.init.normal_(x, std=0.02)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        for block in self.h:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)


def dense(*sizes, norm=False):
    layers = dict(dense=nn.Linear(*sizes))
    return nn.ModuleDict(layers | (dict(LayerNorm=nn.LayerNorm(sizes[1], eps=1e-12)) if norm else {}))


class BertLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        qkv = nn.ModuleDict({name: nn.Linear(dim, dim) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict(dict(self=qkv, output=dense(dim, dim, norm=True)))
        self.intermediate, self.output = dense(dim, 4 * dim), dense(4 * dim, dim, norm=True)

    def forward(self, x):
        end, qkv = self.attention["output"], self.attention["self"]
        x = end.LayerNorm(x + end.dense(attend(qkv.query(x), qkv.key(x), qkv.value(x), self.heads, False)))
        return self.output.LayerNorm(x + self.output.dense(F.gelu(self.intermediate.dense(x))))


class Bert(nn.Module):
    def __init__(self, n):
        super().__init__()
        words, positions, types = (nn.Embedding(count, n.dim) for count in (n.vocab, n.time, 2))
        self.embeddings = nn.ModuleDict(dict(word_embeddings=words, position_embeddings=positions,
                                             token_type_embeddings=types, LayerNorm=nn.LayerNorm(n.dim, eps=1e-12)))
        self.encoder = nn.ModuleDict(dict(layer=nn.ModuleList(BertLayer(n.dim, n.heads) for _ in range(n.layers))))
        self.pooler = dense(n.dim, n.dim)

    def forward(self, ids):
        e = self.embeddings
        positions = e.position_embeddings.weight[: ids.shape[1]]
        x = e.LayerNorm(e.word_embeddings(ids) + positions + e.token_type_embeddings(torch.zeros_like(ids)))
        for layer in self.encoder.layer:
            x = layer(x)
        return x


class MaskedLM(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.bert = Bert(n)
        predictions = nn.Module()
        predictions.transform, predictions.bias = dense(n.dim, n.dim, norm=True), nn.Parameter(torch.zeros(n.vocab))
        self.cls = nn.ModuleDict(dict(predictions=predictions, seq_relationship=nn.Linear(n.dim, 2)))
        for x in self.parameters():
            if x.dim() > 1:
                nn.init.normal_(x, std=0.02)

    def forward(self, ids, at):
        head = self.cls.predictions
        h = head.transform.LayerNorm(F.gelu(head.transform.dense(self.bert(ids).flatten(0, 1)[at])))
        return F.linear(h, self.bert.embeddings.word_embeddings.weight, head.bias)


class Chain(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.w, self.ops = nn.Parameter(torch.randn(n.dim)), n.ops

    def forward(self):
        x = self.w
        for _ in range(self.ops // 2):
            x = torch.tanh(x * self.w)
        return x.sum()


def build(name):
    """The model of a workload as (module, loss of its data, data)."""
    n = SimpleNamespace(**SIZES[name])
    ids = lambda *keys: {key: torch.randint(n.vocab, (n.batch, n.time)) for key in keys}
    entropy = lambda logits, y: F.cross_entropy(logits.flatten(0, -2), y.long().flatten())
    if name == "tiny-graph":
        model = Chain(n)
        return model, lambda d: model(), {}
    if name == "mlp-mnist":
        model = nn.Sequential(nn.Linear(784, n.dim), nn.ReLU(), nn.Linear(n.dim, n.dim), nn.ReLU(), nn.Linear(n.dim, 10))
        data = {"x": torch.randn(n.batch, 784), "y": torch.randint(10, (n.batch,))}
        return model, lambda d: entropy(model(d["x"]), d["y"]), data
    if name in ("bahdanau", "transformer"):
        model = Bahdanau(n) if name == "bahdanau" else EncoderDecoder(n)
        return model, lambda d: entropy(model(d["source"].long(), d["x"].long()), d["y"]), ids("source", "x", "y")
    if name == "bert-mlm":
        model, masked = MaskedLM(n), n.batch * n.time * 15 // 100
        data = ids("x") | {"y": torch.randint(n.vocab, (masked,)), "at": torch.randperm(n.batch * n.time)[:masked]}
        return model, lambda d: entropy(model(d["x"].long(), d["at"].long()), d["y"]), data
    model = GPT(n) if name.startswith("gpt") else RecurrentLM(n)
    return model, lambda d: entropy(model(d["x"].long()), d["y"]), ids("x", "y")
