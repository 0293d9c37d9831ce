"""Is a programme's choice better than simpler ones? Several parents, four budgets, equal distillation afterwards.

    python benchmarks/transformer.py OUT [--parents 5] [--budgets 0.35 0.2 0.12 0.5] [--print]

Each parent is a vision transformer of six blocks (`nasviz.estimators.TRANSFORMER`, other seeds). Its half-blocks are
distilled, scored one by one, and a choice within each share of the parent's multiply-adds is made in several ways. Then
each chosen network is distilled as a whole for two epochs. The file OUT.jsonl gets a line for each network, and goes on
where it was; parents and libraries stand beside it. Each parent takes some ten minutes of one free core.

`--print` prints the table from what is there: test accuracy before and after, mean over parents, and the mean
difference from the programme's with a 95 % interval (Student's t over parents).

Wanted: at 35, 20 and 12 % the programme above uniform, depth and magnitude; a library of 6 blocks × 8 variants, scored,
within 60 s of one core.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from scipy.stats import kendalltau, pearsonr
from scipy.stats import t as student

from nasviz.estimators import TRANSFORMER, Assembled, replace_one
from nasviz.estimators.training import tensors_of
from nasviz.lessons.shrinking_ways import last_state, tested
from nasviz.nn import count
from nasviz.nn.half_blocks import CHUNK, by_importance, cut, entering
from nasviz.nn.transformer import Attention, FeedForward, Transformer, finished, half
from nasviz.spaces import TransformerSpace
from nasviz.strategies import BlockwiseDistillation, Distillation
from nasviz.strategies.distillation import weights_of
from nasviz.strategies.mixed_integer import Budget, budget, greedy, harm_of, programme, relaxed, rounded
from nasviz.strategies.pruning import depth, drawn, one_by_one, uniform

SPACE = TransformerSpace()
NARROW = TransformerSpace(6, SPACE.attention, ("none", "f3/64", "f11/64", "f13/32", "f1"))  # one head and these fit
TUNE = replace(TRANSFORMER, epochs=2, lr=1e-3, decay=0.01)
SCRATCH = replace(TRANSFORMER, epochs=2)
UNIFORM = {0.5: "h2 f1/2", 0.35: "h1 f13/32", 0.2: "h1 f11/64", 0.12: "h1 f3/64"}
REST = SPACE.madds(SPACE.smallest)  # patches and classifier: shares are those of the blocks' work
FULL = SPACE.madds(SPACE.largest) - REST
DRAWN, MEMBERS = 3, 14  # random networks tuned a budget, and measured only


class Free(TransformerSpace):
    """The parent's space, in which the member without any half-block stands for a network of free sizes."""

    def __init__(self, words: list[str]):
        super().__init__()
        self.name, self.words_of = f"free {' '.join(words)}", words

    def network(self, arch, *, colors=1, classes=10, generator=None, **size):
        if arch != self.smallest:
            return super().network(arch, colors=colors, classes=classes, generator=generator, **size)
        halves = [half(word, 64) for word in self.words_of]
        return finished(Transformer(halves, 64, 4, 16, colors, classes), generator)


def weights(network: torch.nn.Module) -> bytes:
    return save({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


class Bench:
    """One parent, its libraries, and the lines that are there of it."""

    def __init__(self, out: Path, seed: int):
        self.out, self.seed, self.file = out, seed, out.with_suffix(".jsonl")
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        self.rows = [row for row in map(json.loads, lines) if row["parent"] == seed]

    def stored(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What a file beside OUT holds; made, and its seconds noted, where it is missing."""
        path = self.out.with_name(f"{self.out.name}-{self.seed}-{name}.safetensors")
        if not path.exists():
            start = time.process_time()
            said = make()
            path.write_bytes(said)
            self.note(what=name, seconds=time.process_time() - start)
        return path.read_bytes()

    def note(self, **row) -> None:
        row = {"parent": self.seed} | row
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.rows.append(row)

    def has(self, **row) -> bool:
        return any(all(one.get(key) == value for key, value in row.items()) for one in self.rows)

    # ------------------------------------------------------------------ parts
    def load(self) -> None:
        search = Distillation(SPACE, SPACE.largest, seed=self.seed)
        self.parent = self.stored("parent", lambda: weights_of(last_state(search)))
        parts = {}
        for name, space, learn in (("library", SPACE, True), ("cut", SPACE, False), ("narrow", NARROW, True)):
            variants = BlockwiseDistillation(space, self.parent, learn)
            parts[name] = self.stored(name, partial(last_state, variants))
        self.whole, self.cut, self.narrow = (
            Assembled(space, self.parent, parts[name])
            for name, space in (("library", SPACE), ("cut", SPACE), ("narrow", NARROW))
        )
        path = self.out.with_name(f"{self.out.name}-{self.seed}-harms.npy")
        if not path.exists():
            start = time.process_time()
            scores = replace_one(self.whole)
            self.note(what="scores", seconds=time.process_time() - start, **{k: v.tolist() for k, v in scores.items()})
            np.save(path, scores["kl"])
        self.harms = np.load(path)
        if not self.has(what="accuracy"):
            self.note(what="accuracy", test=tested(self.whole.whole))

    def judge(self, arch) -> float:
        return self.whole(arch).scores["kl"]

    def additivity(self, shares) -> None:
        """Foretold and measured harm of random networks of all sizes."""
        rng = np.random.default_rng(self.seed)
        for share in (0.75, *shares):
            limit = budget(SPACE.madds, SPACE, REST + share * FULL)
            for number in range(MEMBERS):
                arch = drawn(SPACE, limit, rng, limit.most - 0.07 * share * FULL)
                if not self.has(what="additivity", share=share, number=number):
                    self.note(what="additivity", share=share, number=number, foretold=harm_of(arch, self.harms),
                              measured=self.judge(arch), madds=SPACE.madds(arch))  # fmt: skip

    # ------------------------------------------------------------------ methods
    def networks(self, share: float) -> Iterator[tuple[str, Callable[[], tuple], tuple[int, ...]]]:
        """Yield (method, what makes (space, arch, first weights), seeds of its distillation)."""
        limit = budget(SPACE.madds, SPACE, REST + share * FULL)

        def of(arch, assembled=self.whole):
            return assembled.space, arch, assembled.weights(arch)

        yield "programme", lambda: of(programme(self.harms, [limit])), (0, 1)
        equal = self.whole if share == 0.5 else self.narrow
        blocks = equal.space.from_text(" | ".join(6 * [UNIFORM[share]]))
        yield "uniform", lambda: of(blocks, equal), (0, 1)
        yield "depth", lambda: of(depth(SPACE, limit, self.judge)), (0,)
        yield "magnitude", lambda: self.by_magnitude(limit), (0,)
        yield "no local distillation", lambda: of(programme(self.harms, [limit]), self.cut), (0,)
        yield "equal blocks of the library", lambda: of(uniform(SPACE, limit)), (0,)
        yield "one by one", lambda: of(one_by_one(SPACE, limit, self.judge)), (0,)
        yield "greedy", lambda: of(greedy(self.harms, limit)), (0,)
        yield "relaxed and rounded", lambda: of(rounded(relaxed(self.harms, [limit]), limit)), (0,)
        for number in range(DRAWN):
            rng = np.random.default_rng((self.seed, number, int(1000 * share)))
            arch = drawn(SPACE, limit, rng, limit.most - 0.07 * share * FULL)
            yield f"random {number}", partial(of, arch), (0,)
        # This one knows no parent: with one seed for all, every parent would repeat the same training.
        yield "uniform from scratch", lambda: (equal.space, blocks, None), (self.seed,)

    def by_magnitude(self, limit: Budget) -> tuple:
        """Remove heads and neurons of the parent, from the least used for each multiply-add on, wherever they stand."""
        images = tensors_of("fashion16", 16, "train")[0][: TUNE.images]
        uses, tokens = [], []
        for one, (x, _) in zip(self.whole.whole.halves, entering(self.whole.whole, images), strict=True):
            tokens.append(x[:CHUNK])
            uses.append(used(by_importance(one, tokens[-1]), tokens[-1]))
        costs = [SPACE.madds((*SPACE.largest[:-2], 4, 4)) - SPACE.madds((*SPACE.largest[:-2], 0, 4)), 2 * 16 * 64 * 256]
        each = [costs[place % 2] / len(use) for place, use in enumerate(uses)]
        order = sorted((value / each[place], place) for place, use in enumerate(uses) for value in use)
        left, spent = [len(use) for use in uses], sum(len(use) * cost for use, cost in zip(uses, each, strict=True))
        for _, place in order:
            if spent <= limit.most:
                break
            left[place] -= 1
            spent -= each[place]
        words = [("h%d" if place % 2 == 0 else "f%d/256") % n if n else "none" for place, n in enumerate(left)]
        space = Free(words)
        network = space.network(space.smallest)
        for name in ("patches", "norm", "classifier"):
            getattr(network, name).load_state_dict(getattr(self.whole.whole, name).state_dict())
        for place, word in enumerate(words):
            part = cut(self.whole.whole.halves[place], tokens[place], [word])[word]
            network.halves[place].load_state_dict(part.state_dict())
        return space, space.smallest, weights(network)

    def origin(self, method: str, space: TransformerSpace) -> str:
        """Where the first weights are from: equal networks from one origin are trained once."""
        return {"no local distillation": "cut", "uniform from scratch": "scratch"}.get(method, space.name)

    def run(self, share: float, wanted: Callable[[str], bool]) -> None:
        for method, make, seeds in self.networks(share):
            if not wanted(method):
                continue
            made = None
            for seed in seeds:
                if self.has(what="network", share=share, method=method, seed=seed):
                    continue
                space, arch, first = made = made or make()
                words, origin = getattr(space, "words_of", None) or space.words(arch), self.origin(method, space)
                if same := [row for row in self.rows if row["what"] == "network" and
                            (row["words"], row["from"], row["seed"]) == (words, origin, seed)]:  # fmt: skip
                    self.note(**same[0] | {"share": share, "method": method})
                    continue
                network = space.network(arch)
                if first is not None:
                    network.load_state_dict(loaded(first))
                before = tested(network)
                scratch = first is None
                start = time.process_time()
                search = Distillation(space, arch, first, None if scratch else self.parent, 1.0,
                                      SCRATCH if scratch else TUNE, seed=seed)  # fmt: skip
                network.load_state_dict(loaded(weights_of(last_state(search))))
                seconds = time.process_time() - start
                self.note(what="network", share=share, method=method, seed=seed, before=before, after=tested(network),
                          seconds=seconds, madds=count.madds(network, (1, 16, 16)), words=words,
                          **{"from": origin})  # fmt: skip


@torch.no_grad()
def used(one: torch.nn.Module, x: torch.Tensor) -> list[float]:
    """How much each head adds, or each neuron: the criterion of `by_importance`, in the order of the weights."""
    if isinstance(one, FeedForward):
        return (one.widen(one.norm(x)).relu().mean((0, 1)) * one.out.weight.norm(dim=0)).tolist()
    assert isinstance(one, Attention)
    read, out = one.mixed(x, one.heads).unflatten(2, (one.heads, -1)), one.out.weight.unflatten(1, (one.heads, -1))
    return [float((read[:, :, h] @ out[:, h].T).norm(dim=2).mean()) for h in range(one.heads)]


def loaded(said: bytes) -> dict[str, torch.Tensor]:
    from safetensors.torch import load

    return load(said)


# ------------------------------------------------------------------------------------------------------------ the table
def show(file: Path) -> None:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    found: dict[tuple, dict[int, list]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["what"] == "network":
            method = "random" if row["method"].startswith("random") else row["method"]
            found[row["share"], method][row["parent"]].append((row["before"], row["after"]))
    parents = {row["parent"]: row["test"] for row in rows if row["what"] == "accuracy"}
    print("parents, test accuracy %:", {seed: round(test, 2) for seed, test in parents.items()})
    for share in sorted({share for share, _ in found}, reverse=True):
        print(f"\n{share:.0%} of the multiply-adds: before → after, programme ahead by (95 % over parents)")
        best = {seed: np.mean([after for _, after in one]) for seed, one in found[share, "programme"].items()}
        for (_, method), by_parent in ((key, one) for key, one in found.items() if key[0] == share):
            before, after = (
                np.mean([np.mean([pair[i] for pair in one]) for one in by_parent.values()]) for i in (0, 1)
            )
            ahead = [best[seed] - np.mean([pair[1] for pair in one]) for seed, one in by_parent.items() if seed in best]
            n = len(ahead)
            wide = student.ppf(0.975, n - 1) * np.std(ahead, ddof=1) / n**0.5 if n > 1 else float("nan")
            text = "" if method == "programme" else f"{np.mean(ahead):+6.2f} ± {wide:.2f}"
            print(f"{method:28}{before:7.2f} → {after:6.2f}  {text}  ({n} parents)")
    for seed in parents:
        seconds = {row["what"]: row["seconds"] for row in rows if row["parent"] == seed and row["what"] in STAGES}
        print(f"\nparent {seed}, seconds of processor time:", {name: round(s, 1) for name, s in seconds.items()})
        pairs = [(row["foretold"], row["measured"]) for row in rows
                 if row["parent"] == seed and row["what"] == "additivity"]  # fmt: skip
        if len(pairs) > 2:
            a, b = zip(*pairs, strict=True)
            print(f"harms add? {len(a)} random networks: Pearson {pearsonr(a, b)[0]:.2f}, τ {kendalltau(a, b)[0]:.2f}")


MUST = ("programme", "uniform", "depth", "magnitude")
STAGES = ("parent", "library", "cut", "narrow", "scores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parents", type=int, default=5)
    parser.add_argument("--budgets", type=float, nargs="+", default=[0.35, 0.2, 0.12, 0.5], choices=list(UNIFORM))
    parser.add_argument("--print", action="store_true", dest="only_print")
    asked = parser.parse_args()
    if not asked.only_print:
        for seed in range(asked.parents):
            bench = Bench(asked.out, seed)
            bench.load()
            for wanted in (MUST.__contains__, lambda method: method not in MUST):  # those of the table first
                for share in asked.budgets:
                    bench.run(share, wanted)
            bench.additivity(asked.budgets)
    show(asked.out.with_suffix(".jsonl"))


if __name__ == "__main__":
    main()
