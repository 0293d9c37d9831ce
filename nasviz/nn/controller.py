"""A recurrent network that writes architectures, one choice after the other: a policy over a search space.

It follows Zoph & Le 2017 (section 3.1, figure 2; section 3.3, equation 6 for skip connections), with the one layer of
100 units of Zoph et al. 2018 (NASNet, appendix A.1) in place of two layers of 35. The network computes the exact
probability of every architecture, and autograd gives the gradient of that probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ..space import Arch, SearchSpace
from ..weights import jitter

INITIAL = 0.1  # first weights are uniform in ±this (NASNet; Zoph & Le: 0.08): the first policy is nearly uniform
NEVER = -1e9  # logit of an option that cannot be chosen: its probability is exactly 0, and so is its gradient
LISTED = 2**16  # spaces of at most so many tuples are listed, to know which prefixes can still become valid
ROUNDS = 200  # in larger spaces, rule-breaking architectures are drawn again at most so many times


@dataclass(frozen=True)
class Sequences:
    """A controller's probabilities for n architectures.

    Attributes
    ----------
    archs : list of Arch
    probabilities : Tensor (n, choices, options)
        Probability of each option given the choices before; 0 where a choice is inactive. A choice with fewer options
        than the widest has zeros after its last option.
    logs : Tensor (n, choices)
        Natural logarithm of the probability of the option that was taken; 0 where a choice is inactive. The sum over
        choices is the log-probability of the architecture.
    entropies : Tensor (n, choices)
        Entropy of each choice given the choices before, in nats.
    rejected : int
        Number of drawn architectures that broke a rule and were drawn again.
    """

    archs: list[Arch]
    probabilities: Tensor
    logs: Tensor
    entropies: Tensor
    rejected: int = 0


class Controller(nn.Module):
    """An LSTM over the choices of ``space``: each option taken is the next input, each choice has its own softmax.

    A choice that is *inactive* emits no token: it leaves the state unchanged, and the next choice sees the last token
    before it. Where the space has ``anchors`` (`nasviz.spaces.MacroSpace`), the skip connections of a layer are no
    tokens either: the layer has an anchor point, one step of the LSTM, and each earlier layer j is an input of layer i
    with probability sigmoid(vᵀ tanh(W_prev h_j + W_curr h_i)), where h are the states at the anchor points. The next
    input is the mean of the states of the anchors that were chosen.

    The controller never returns an architecture that breaks a rule of the space. In spaces of up to 2**16 tuples, an
    option after which no valid architecture is possible is closed, and the softmax is over the other options. The
    probabilities of all valid architectures thus still sum to 1. In larger spaces an architecture that breaks a rule is
    drawn again: the probabilities are then those *before* that selection.

    Parameters
    ----------
    space : SearchSpace
    hidden : int
        Units of the LSTM, and length of the vectors that stand for tokens.
    generator : torch.Generator, optional
        Source of the first weights. None: a generator with seed 0.
    dtype : torch.dtype
        Type of the weights; float64 is for checks of the gradients.
    """

    def __init__(
        self, space: SearchSpace, hidden: int = 100, generator: torch.Generator | None = None, dtype=torch.float32
    ):
        super().__init__()
        generator = generator or torch.Generator().manual_seed(0)

        def weights(*shape: int) -> nn.Parameter:
            drawn = torch.empty(shape, dtype=torch.float32).uniform_(-INITIAL, INITIAL, generator=generator)
            return nn.Parameter(drawn.to(dtype))

        self.space, self.hidden = space, hidden
        self.widest = max(len(choice.options) for choice in space.choices)
        self.starts = np.cumsum([0, *(len(choice.options) for choice in space.choices)]).tolist()
        self.first, self.tokens = weights(hidden), weights(self.starts[-1], hidden)
        self.inputs, self.states = weights(hidden, 4 * hidden), weights(hidden, 4 * hidden)
        self.bias = weights(4 * hidden)
        self.head, self.head_bias = weights(hidden, self.starts[-1]), weights(self.starts[-1])
        anchors = space.anchors if space.can("anchors") else ()
        if anchors:
            self.previous, self.current, self.vote = weights(hidden, hidden), weights(hidden, hidden), weights(hidden)
        jitter(self.parameters())
        self._lstm_steps = list(_lstm_steps(len(space.choices), anchors))
        self._valid_prefixes = _valid_prefixes(space) if space.size <= LISTED else None
        self._moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in self.parameters()]
        self._updates = torch.zeros((), dtype=torch.int64)

    # ------------------------------------------------------------------ probabilities and samples
    def forward(self, archs: Sequence[Arch]) -> Sequences:
        """Return the policy's probabilities for given valid architectures; autograd can differentiate them."""
        wanted = torch.tensor(np.array(archs))
        return self._unroll(len(archs), lambda choice, logs: wanted[:, choice])

    def log_probability(self, arch: Arch) -> float:
        """Return the natural logarithm of one architecture's probability. ValueError if the space does not hold it."""
        with torch.no_grad():
            return float(self([self.space.check(arch)]).logs.sum())

    def sample(self, count: int, rng: np.random.Generator) -> Sequences:
        """Draw ``count`` valid architectures independently; autograd can differentiate their probabilities.

        If 200 rounds of drawing did not give enough valid architectures, `SearchSpace.sample` draws the rest.
        """
        valid: list[Arch] = []
        rejected = 0
        for _ in range(ROUNDS):
            drawn = self._draw(count, rng)
            good = [arch for arch in drawn.archs if self._valid_prefixes is not None or self.space.rule(arch) is None]
            if len(good) == count and not valid:
                return drawn
            valid, rejected = valid + good, rejected + count - len(good)
            if len(valid) >= count:
                break
        valid += [self.space.sample(rng) for _ in range(count - len(valid))]
        return replace(self(valid[:count]), rejected=rejected)

    def _draw(self, count: int, rng: np.random.Generator) -> Sequences:
        """Draw options by the Gumbel-max trick: the largest of log p + noise is option o with probability p(o)."""
        noise = torch.from_numpy(rng.gumbel(size=(len(self.space.choices), count, self.widest)))

        def sampled(choice: int, logs: Tensor) -> Tensor:
            return (logs + noise[choice, :, : logs.shape[1]]).argmax(1)

        return self._unroll(count, sampled)

    # ------------------------------------------------------------------ learning
    @torch.no_grad()
    def descend(self, loss: Tensor, lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        """Take a step of Adam (Kingma & Ba 2015, algorithm 1) down the gradient of ``loss``."""
        weights, updates = list(self.parameters()), int(self._updates.add_(1))
        slopes = torch.autograd.grad(loss, weights, materialize_grads=True)
        rate = lr * (1 - betas[1] ** updates) ** 0.5 / (1 - betas[0] ** updates)
        for weight, slope, (mean, square) in zip(weights, slopes, self._moments, strict=True):
            mean.mul_(betas[0]).add_(slope, alpha=1 - betas[0])
            square.mul_(betas[1]).addcmul_(slope, slope, value=1 - betas[1])
            weight.addcdiv_(mean, square.sqrt().add_(1e-8), value=-rate)

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors that learning changes, to save or fill them: weights, Adam's means, number of updates."""
        tensors = {"updates": self._updates}
        for (name, weight), (mean, square) in zip(self.named_parameters(), self._moments, strict=True):
            tensors |= {name: weight.detach(), f"{name}.mean": mean, f"{name}.square": square}
        return tensors

    # ------------------------------------------------------------------ one token after the other
    def _unroll(self, count: int, select: Callable[[int, Tensor], Tensor]) -> Sequences:
        """Go through all choices in order; ``select(choice, log-probabilities)`` returns the taken options (count,)."""
        table = torch.addmm(self.bias, torch.cat([self.first[None], self.tokens]), self.inputs)
        x = table[:1].expand(count, -1)  # the input, multiplied for the gates: once for each token
        state = memory = x.new_zeros(count, self.hidden)
        prefixes: list[Arch] = [()] * count
        anchors: list[Tensor] = []
        outputs = []  # of each choice: probabilities, logarithms of those taken, entropies

        def decide(choice: int, logits: Tensor) -> Tensor:
            """Take an option of a choice for each sequence, from a softmax over the allowed ones."""
            nonlocal prefixes
            active, allowed = self._allowed(choice, prefixes)
            if allowed is not None:
                logits = logits.masked_fill(~allowed, NEVER)
            logs = logits.log_softmax(1)
            taken = select(choice, logs)
            prefixes = [(*prefix, option) for prefix, option in zip(prefixes, taken.tolist(), strict=True)]
            chances = logs.exp()
            entropies = -(chances * logs).sum(1)
            probabilities = chances.detach() if active is None else chances.detach() * active[:, None]
            probabilities = nn.functional.pad(probabilities, (0, self.widest - probabilities.shape[1]))
            outputs.append((probabilities, logs.gather(1, taken[:, None])[:, 0], entropies))
            return taken

        for choice, skips in self._lstm_steps:
            active, _ = self._allowed(choice, prefixes)
            new = self._cell(x, state, memory)
            state, memory = new if active is None else (_where(active, new[0], state), _where(active, new[1], memory))
            if skips is None:
                a, b = self.starts[choice : choice + 2]
                taken = decide(choice, state @ self.head[:, a:b] + self.head_bias[a:b])
                next_x = table[1 + a + taken]
            else:
                joined = [decide(i, self._skip_logits(anchor, state)) for i, anchor in zip(skips, anchors, strict=True)]
                next_x = torch.addmm(self.bias, _mean_of(anchors, joined), self.inputs) if joined else table[:1]
                anchors.append(state)
            x = next_x if active is None else _where(active, next_x, x)
        probabilities, logs, entropies = (torch.stack(one, 1) for one in zip(*outputs, strict=True))
        return Sequences(prefixes, probabilities, logs, entropies)

    def _cell(self, x: Tensor, state: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Take one LSTM step (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000); ``x`` as in `_unroll`."""
        gates = torch.addmm(x, state, self.states)
        keep, write, show = gates[:, : 3 * self.hidden].sigmoid().chunk(3, 1)
        memory = keep * memory + write * gates[:, 3 * self.hidden :].tanh()
        return show * memory.tanh(), memory

    def _skip_logits(self, earlier: Tensor, state: Tensor) -> Tensor:
        """Return the logits (n, 2) of "no" and "yes"; the softmax of (0, s) is the sigmoid of s."""
        yes = (earlier @ self.previous + state @ self.current).tanh() @ self.vote
        return torch.stack([torch.zeros_like(yes), yes], 1)

    def _allowed(self, choice: int, prefixes: list[Arch]) -> tuple[Tensor | None, Tensor | None]:
        """Return where a choice is active (n,), and its open options (n, options); None: everywhere, all options."""
        if choice == len(self.space.choices):
            return None, None
        one = self.space.choices[choice]
        options = range(len(one.options))
        active = None if one.when is None else torch.tensor([bool(one.when(prefix)) for prefix in prefixes])
        if valid := self._valid_prefixes:
            return active, torch.tensor([[(*prefix, o) in valid for o in options] for prefix in prefixes])
        return active, None if active is None else active[:, None] | (torch.arange(len(options)) == 0)  # inactive: 0


def _where(active: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(active[:, None], new, old)


def _mean_of(anchors: list[Tensor], joined: list[Tensor]) -> Tensor:
    """Return the mean of the states of the chosen anchors, 0 where no anchor is chosen."""
    chosen = torch.stack(joined, 1).to(anchors[0].dtype)
    total = torch.einsum("nj,jnh->nh", chosen, torch.stack(anchors))
    return total / chosen.sum(1, keepdim=True).clamp(min=1)


def _lstm_steps(choices: int, anchors: Sequence[range]) -> Iterator[tuple[int, range | None]]:
    """Yield the steps of the LSTM: (choice, None) for a token, (first choice, choices) for an anchor point."""
    behind, skips = {points.start: points for points in anchors}, {i for points in anchors for i in points}
    for choice in range(choices):
        if choice in behind:
            yield choice, behind[choice]
        if choice not in skips:
            yield choice, None


def _valid_prefixes(space: SearchSpace) -> set[Arch]:
    """Return every prefix of a valid architecture; empty if all tuples are valid. ValueError if none is valid."""
    begun: list[Arch] = [()]
    for choice in space.choices:
        begun = [
            (*prefix, option)
            for prefix in begun
            for option in (range(len(choice.options)) if choice.when is None or choice.when(prefix) else (0,))
        ]
    valid = [arch for arch in begun if space.rule(arch) is None]
    if not valid:
        raise ValueError(f"{space.name} has no valid architecture: {space.rule(begun[0])}")
    return {arch[:n] for arch in valid for n in range(1, len(arch) + 1)} if len(valid) < len(begun) else set()
