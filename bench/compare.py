#!/usr/bin/env python3
"""Our training steps beside PyTorch's: the same model, sizes and step, measured in turn on the same machine, and the same
numbers: PyTorch computes loss and gradients again from what gradus-bench dumps.

    bench/compare.py --ours build/bench/gradus-bench [--workload mlp-mnist ...] [--threads 2] [--rounds 3] [--steps 20]

Needs PyTorch (Debian: python3-torch; or a newer one from pip). The engines take turns, so that a machine whose speed drifts
slows both alike; a time is the best step of all rounds, because other load only ever adds.
"""
import argparse
import json
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

# name: (cell, batch, time, width, layers, words); bench/workloads.cpp has the same names and sizes.
RECURRENT = {
    "rnn-lm": ("RNN", 32, 64, 256, 1, 64),
    "gru-lm": ("GRU", 32, 64, 256, 1, 64),
    "lstm-lm": ("LSTM", 32, 64, 256, 2, 64),
    "lstm-word": ("LSTM", 20, 35, 512, 2, 10000),
}
TRANSLATION = ["bahdanau", "transformer"]
WORKLOADS = ["mlp-mnist", *RECURRENT, *TRANSLATION, "tiny-graph"]


def translator(name, torch):
    """The two encoder-decoders: width 256, 4,000 words on both sides; parameters have our names."""
    nn, width, words = torch.nn, 256, 4000

    class Bahdanau(nn.Module):
        def __init__(self):
            super().__init__()
            self.src, self.dst = nn.Embedding(words, width), nn.Embedding(words, width)
            self.enc = nn.GRU(width, width, batch_first=True, bidirectional=True)
            self.bridge, self.cell = nn.Linear(2 * width, width), nn.GRUCell(3 * width, width)
            self.attention = nn.Module()
            self.attention.query, self.attention.key = nn.Linear(width, width, bias=False), nn.Linear(2 * width, width)
            self.attention.v = nn.Parameter(torch.randn(width) / width**0.5)
            self.head = nn.Linear(4 * width, words)

        def forward(self, source, ids):
            states, h = self.enc(self.src(source))
            s = torch.tanh(self.bridge(torch.cat([h[0], h[1]], -1)))
            keys, embedded, outs = self.attention.key(states), self.dst(ids), []
            for t in range(ids.shape[1]):
                scores = torch.tanh(self.attention.query(s).unsqueeze(1) + keys) @ self.attention.v
                context = (scores.softmax(-1).unsqueeze(1) @ states).squeeze(1)
                s = self.cell(torch.cat([embedded[:, t], context], -1), s)
                outs.append(torch.cat([s, context, embedded[:, t]], -1))
            return self.head(torch.stack(outs, 1))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.src, self.dst, self.pos = nn.Embedding(words, width), nn.Embedding(words, width), nn.Embedding(64, width)
            self.tr = nn.Transformer(width, 8, 3, 3, 512, dropout=0.0, batch_first=True)
            self.head = nn.Linear(width, words)

        def forward(self, source, ids):
            time = ids.shape[1]
            causal = torch.triu(torch.full((time, time), -torch.inf), 1)
            x, y = (table(i) + self.pos.weight[: i.shape[1]] for table, i in ((self.src, source), (self.dst, ids)))
            return self.head(self.tr(x, y, tgt_mask=causal))

    return Bahdanau() if name == "bahdanau" else Transformer()


def build(name, torch):
    """The model of a workload as (module, loss of its data, data)."""
    nn, F = torch.nn, torch.nn.functional
    if name == "mlp-mnist":
        model = nn.Sequential(nn.Linear(784, 1200), nn.ReLU(), nn.Linear(1200, 1200), nn.ReLU(), nn.Linear(1200, 10))
        data = {"x": torch.randn(128, 784), "y": torch.randint(10, (128,))}
        return model, lambda d: F.cross_entropy(model(d["x"]), d["y"].long()), data

    if name in RECURRENT:
        cell, batch, time, width, layers, vocab = RECURRENT[name]

        class RecurrentLM(nn.Module):
            def __init__(self):
                super().__init__()
                self.emb = nn.Embedding(vocab, width)
                self.rnn = getattr(nn, cell)(width, width, layers, batch_first=True)
                self.head = nn.Linear(width, vocab)

            def forward(self, ids):
                return self.head(self.rnn(self.emb(ids.long()))[0])

        model = RecurrentLM()
        data = {key: torch.randint(vocab, (batch, time)) for key in "xy"}
        return model, lambda d: F.cross_entropy(model(d["x"]).flatten(0, 1), d["y"].long().flatten()), data

    if name in TRANSLATION:
        model = translator(name, torch)
        data = {key: torch.randint(4000, (64, 20)) for key in ("source", "x", "y")}
        return model, lambda d: F.cross_entropy(model(d["source"].long(), d["x"].long()).flatten(0, 1), d["y"].long().flatten()), data

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(16))

        def forward(self):
            x = self.w
            for _ in range(250):
                x = torch.tanh(x * self.w)
            return x.sum()

    model = Chain()
    return model, lambda d: model(), {}


def measure_torch(name, threads, steps, warmup=3):
    """One JSON line with the keys of gradus-bench."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, loss_of, data = build(name, torch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    times = []
    for step in range(warmup + steps):
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(data)
        loss.backward()
        if name != "tiny-graph":
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step >= warmup:
            times.append(time.perf_counter() - begin)
    print(json.dumps({"workload": name, "engine": "torch-" + torch.__version__, "ms_per_step": statistics.median(times) * 1e3,
                      "min_ms": min(times) * 1e3, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def read_safetensors(path, torch):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = bytearray(file.read())
    types = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32}
    return {name: torch.frombuffer(body[slice(*t["data_offsets"])], dtype=types[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__"}


def largest_difference(name, path):
    """How far our loss and gradients are from PyTorch's, relative to the largest gradient."""
    import torch

    ours = read_safetensors(path, torch)
    model, loss_of, _ = build(name, torch)
    model.load_state_dict({k.removeprefix("weight."): t for k, t in ours.items() if k.startswith("weight.")})
    loss = loss_of({k.removeprefix("data."): t for k, t in ours.items() if k.startswith("data.")})
    loss.backward()
    scale = max(p.grad.abs().max() for p in model.parameters())
    worst = max((p.grad - ours["grad." + k]).abs().max() / scale for k, p in model.named_parameters())
    print(json.dumps({"loss": abs(loss.item() - ours["loss"].item()), "gradient": worst.item()}))


def run(command, threads):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"compare.py: {' '.join(command)} failed:\n{done.stderr[-800:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default="build/bench/gradus-bench", help="our benchmark program")
    parser.add_argument("--workload", nargs="*", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--torch", choices=WORKLOADS, help=argparse.SUPPRESS)
    parser.add_argument("--check", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch:
        return measure_torch(args.torch, args.threads, args.steps)
    if args.check:
        return largest_difference(*args.check)
    if not os.access(args.ours, os.X_OK):
        sys.exit(f"compare.py: no program at {args.ours}; `./run bench` builds it")
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
        sys.exit(f"compare.py: {sys.executable} has no PyTorch; install it (Debian: python3-torch, with /usr/bin/python3)")

    me = [sys.executable, os.path.abspath(__file__)]
    print(f"{'workload':<12} {'torch ms':>9} {'ours ms':>9} {'torch/ours':>10} {'torch MB':>9} {'ours MB':>8} {'|Δloss|':>9} {'|Δgrad|':>9}")
    for name in args.workload:
        torch_rows, our_rows = [], []
        for _ in range(args.rounds):
            common = ["--threads", str(args.threads), "--steps", str(args.steps)]
            torch_rows.append(run(me + ["--torch", name] + common, args.threads))
            our_rows.append(run([args.ours, "--json", "--workload", name] + common, args.threads))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "step.safetensors")
            run([args.ours, "--json", "--workload", name, "--steps", "1", "--dump", path], args.threads)
            differences = run(me + ["--check", name, path], args.threads)
        best = lambda rows, key: min(row[key] for row in rows)
        theirs, ours = best(torch_rows, "min_ms"), best(our_rows, "min_ms")
        print(f"{name:<12} {theirs:9.3f} {ours:9.3f} {theirs / ours:10.2f} {best(torch_rows, 'peak_rss_mb'):9.0f} "
              f"{best(our_rows, 'peak_rss_mb'):8.0f} {differences['loss']:9.1e} {differences['gradient']:9.1e}", flush=True)


main()
