"""REINFORCE with a recurrent controller: the method that began the field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite, nan
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ..estimator import Estimator
from ..knobs import knob
from ..nn.controller import Controller, Sequences
from ..nn.threads import one_thread
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import SearchSpace
from ..step import Evaluation, Step

PASSES = 4  # over each batch with clipping; without clipping a batch serves once, as the policy changes afterwards


@dataclass
class Reinforce:
    """Neural architecture search with reinforcement learning: Zoph & Le 2017, section 3.2.

    A recurrent network, the controller, writes architectures token by token. A batch of them is evaluated, and the
    controller's weights θ follow the gradient of the expected reward, estimated from the batch (Williams 1992):

        ∇J ≈ (1/m) Σ_k Σ_t ∇ log P(a_t | a_1 … a_{t−1}; θ) · (R_k − b)

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates; its executor may evaluate a batch in parallel.
    evaluations : int
        Number of architectures evaluated. The paper: 12,800.
    batch : int
        m, the architectures of one update. The paper: 8 for each of 100 replicas of the controller.
    lr : float
        Learning rate of Adam. The paper: 6e-4 (NASNet: 3.5e-4); larger here, as there are fewer updates.
    baseline : {0, 1}
        1 subtracts b, the exponential moving average of the mean rewards of earlier batches; 0 subtracts nothing. It
        changes the variance of the estimate, not its mean. The first batch has no earlier one and subtracts its own
        mean, which shortens the mean of the estimate by 1/m.
    decay : float
        Weight of the past in that average, 0 to 1. (NASNet: 0.95.)
    entropy : float
        β: the objective becomes J + β · H, where H is the entropy of the choices along the sampled sequences, in nats.
        0: the paper has no such term (NASNet: 1e-5).
    clip : float
        ε of proximal policy optimisation's clipped objective (Schulman et al. 2017, equation 7), where each token is an
        action and a batch gets four passes, as in NASNet and MnasNet. 0 is plain REINFORCE with one pass.
    hidden : int
        Units of the controller's LSTM. The paper: two layers of 35; NASNet: one layer of 100, as here.
    objective : callable
        The reward. The paper: `nasviz.objectives.CubedBest`.
    seed : int
        Seed of the controller's first weights, and of its draws.

    Notes
    -----
    Duplicates are evaluated again, as in the paper. Inactive choices emit no token. An architecture that breaks a rule
    of the space is never evaluated: see `nasviz.nn.controller.Controller`. In a space too large to be listed, the
    gradient is then that of the policy *given* validity. For this gradient the batch's mean reward must be subtracted,
    whatever ``baseline`` says. A failed training, or any reward that is not finite, counts as the lowest reward so far
    (0 in the beginning).
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "policy", "marginals", "entropy", "reward", "baseline")

    space: SearchSpace
    estimate: Estimator
    evaluations: int = ranged(500, 1)
    batch: int = knob(10, 1, 100, help="Architectures of one update: m in the paper")
    lr: float = knob(0.003, 1e-4, 0.1, least=0.0, log=True, help="Learning rate of the controller")
    baseline: int = knob(1, 0, 1, most=1, help="1 subtracts the moving average of the rewards, 0 nothing")
    decay: float = ranged(0.9, 0.0, 1.0)
    entropy: float = knob(0.0, 0.0, 0.1, help="Weight of the entropy: how much it pays to stay undecided")
    clip: float = ranged(0.0, 0.0)
    hidden: int = ranged(100, 1)
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng = np.random.default_rng(self.seed)
        controller = Controller(self.space, self.hidden, torch.Generator().manual_seed(self.seed))
        rewards: list[float] = []  # of all evaluations
        average = nan  # of the batches' mean rewards
        while (number := len(rewards)) < self.evaluations:
            with one_thread():
                batch = controller.sample(min(self.batch, self.evaluations - number), rng)
            b = average if self.baseline else 0.0
            for evaluation, policy in zip(self.estimate.many(batch.archs, seed=number), shown(batch), strict=True):
                rewards.append(finite(self.objective(evaluation), rewards))
                yield Step(evaluation, **policy, reward=rewards[-1], baseline=b)
            mean = sum(rewards[number:]) / len(batch.archs)
            advantages = torch.tensor(rewards[number:]) - (mean if own_mean(batch, b) else b)
            with one_thread():
                self.ascend(controller, batch, advantages)
            average = self.decay * average + (1 - self.decay) * mean if isfinite(average) else mean

    def ascend(self, controller: Controller, batch: Sequences, advantages: Tensor) -> None:
        """Move θ up the estimated gradient of J: once, or with clipping once in each of several passes."""
        before, now = batch.logs.detach(), batch
        for earlier in range(PASSES if self.clip else 1):
            if earlier:
                now = controller(batch.archs)
            controller.descend(-surrogate(now, before, advantages, self.clip, self.entropy), self.lr)


def surrogate(now: Sequences, before: Tensor, advantages: Tensor, clip: float = 0.0, entropy: float = 0.0) -> Tensor:
    """Return a number whose gradient estimates that of J, the expected reward. The number itself has no meaning.

    Without clipping it is (1/m) Σ_k Σ_t log P(a_t | a_1 … a_{t−1}; θ) · (R_k − b), and β times the mean entropy.

    Parameters
    ----------
    now : Sequences
        The batch under the present weights.
    before : Tensor (m, choices)
        Log-probabilities of the batch's tokens when it was drawn; only clipping uses them.
    advantages : Tensor (m,)
        R − b.
    clip, entropy : float
        ε and β, see `Reinforce`.
    """
    gains = clipped(now.logs, before, advantages, clip) if clip else now.logs * advantages[:, None]
    return (gains + entropy * now.entropies).sum(1).mean()


def clipped(now: Tensor, before: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """Return the clipped objective of each token (m, choices): Schulman et al. 2017, equation 7.

    Parameters
    ----------
    now, before : Tensor (m, choices)
        Log-probabilities of the tokens under the present weights, and when they were drawn.
    advantages : Tensor (m,)
    clip : float
        ε.
    """
    ratio, gain = (now - before).exp(), advantages[:, None]
    return torch.minimum(ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain)


def finite(reward: float, earlier: list[float]) -> float:
    """Return the reward; where it is not finite, as of a failed training, the lowest of the earlier ones, or 0."""
    return reward if isfinite(reward) else min(earlier, default=0.0)


def own_mean(batch: Sequences, b: float) -> bool:
    """Return whether a batch must subtract its own mean reward: no batch came before it, or some draws broke a rule."""
    return not isfinite(b) or batch.rejected > 0


def shown(batch: Sequences) -> list[dict]:
    """Return what the step of each architecture shows of the policy that drew it."""
    policies = batch.probabilities.numpy().astype("<f4")
    of_all = {"marginals": policies.mean(0), "entropy": float(batch.entropies.detach().sum(1).mean())}
    return [{"policy": policy} | of_all for policy in policies]
