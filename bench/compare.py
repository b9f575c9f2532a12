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

# Those that run where none is named; gpt2-124m takes minutes and 4 GB.
DEFAULT = ["mlp-mnist", "rnn-lm", "gru-lm", "lstm-lm", "lstm-word", "bahdanau", "transformer", "bert-mlm", "gpt-char", "gpt-baby", "tiny-graph"]
WORKLOADS = [*DEFAULT, "gpt2-124m"]


def measure_torch(name, threads, steps, warmup=3):
    """One JSON line with the keys of gradus-bench."""
    import torch
    import torch_models

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, loss_of, data = torch_models.build(name)
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
    import torch_models

    ours = read_safetensors(path, torch)
    model, loss_of, _ = torch_models.build(name)
    model.load_state_dict({k.removeprefix("weight."): t for k, t in ours.items() if k.startswith("weight.")})
    loss = loss_of({k.removeprefix("data."): t for k, t in ours.items() if k.startswith("data.")})
    loss.backward()
    gradients = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    if set(gradients) != {k.removeprefix("grad.") for k in ours if k.startswith("grad.")}:
        sys.exit(f"compare.py: {name}: other parameters have gradients in PyTorch than in ours")
    scale = max(g.abs().max() for g in gradients.values())
    worst = max((g - ours["grad." + k]).abs().max() / scale for k, g in gradients.items())
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
    parser.add_argument("--workload", nargs="*", choices=WORKLOADS, default=DEFAULT)
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
