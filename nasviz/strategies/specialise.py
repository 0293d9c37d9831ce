"""Once-for-all's second half: from one trained supernet, a network for each device and target, in seconds.

Nothing is trained. An accuracy predictor has learned from what some children inherit, a table says how long each layer
takes, and evolution asks both (Cai et al. 2020, section 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from ..estimators.costed import WithCost
from ..estimators.predictor import Predictor
from ..objectives import Within
from ..space import Arch
from ..step import Evaluation, Step
from .batched_evolution import BatchedEvolution


class LatencySource(Protocol):
    """What says how long a network takes: a `nasviz.hardware.LatencyTable`, an `ElasticDevice`, or a simulated one."""

    def predict(self, network, image: Sequence[int]) -> float:
        """Milliseconds."""


class Specialised(NamedTuple):
    """The network for one device: ``best``, with the scores "predicted", "uncertainty" and "latency_ms"; all steps."""

    best: Evaluation
    steps: list[Step]


def specialise(
    predictor: Predictor,
    ms: Callable[[Arch], float],
    target: float,
    *,
    evaluations: int = 1000,
    population: int = 100,
    tournament: int = 25,
    seed: int = 0,
) -> Specialised:
    """The architecture that the predictor likes best among those within a latency: evolution, without any training.

    Parameters
    ----------
    predictor : Predictor
        Fitted on evaluations of children: ``EnsemblePredictor(space, score="inherited").fit(evaluations)``.
    ms : callable
        Architecture -> milliseconds on the device: `by_layer`, or ``ms`` of a `nasviz.hardware.Target`.
    target : float
        Greatest latency, milliseconds.
    evaluations, population, tournament, seed
        Of `nasviz.strategies.BatchedEvolution`; 20 children are bred at once.

    Returns
    -------
    Specialised

    Raises
    ------
    ValueError
        If none was found within the target. The sentence says how long the fastest takes.
    """
    space, bound = predictor.space, Within("latency_ms", target)
    estimate = WithCost(predictor, lambda arch: {"latency_ms": ms(arch)})
    search = BatchedEvolution(
        space, estimate, population, tournament, evaluations, objective=bound, seed=seed, batch=20
    )
    steps = list(search)
    told = [step.evaluation for step in steps if step.evaluation is not None]
    best = max(told, key=bound)
    if not bound.allows(best):
        fastest = min(evaluation.scores["latency_ms"] for evaluation in told)
        raise ValueError(
            f"none of {evaluations} architectures takes {target:g} ms or less; the fastest takes {fastest:.3g} ms"
        )
    return Specialised(best, steps)


def by_layer(
    source: LatencySource, space, image: Sequence[int], network: Mapping | None = None
) -> Callable[[Arch], float]:
    """``arch -> milliseconds`` for an elastic space, from the layers' milliseconds, each asked for once.

    Equal to ``source.predict(space.network(arch), image)`` wherever a network's time is a sum over its operations and
    a constant, as a latency table's is; and faster by orders of magnitude, because no network is built.

    Parameters
    ----------
    source : LatencyTable, ElasticDevice or Roofline
    space : ElasticSpace
    image : sequence of int
        (colors, height, width).
    network : mapping, optional
        Sizes, as `ElasticSpace.network` takes them; ``colors`` are the image's.
    """
    import torch

    from ..nn.elastic import BEFORE
    from ..nn.mobile import Resize

    shared = space.single_path(**{**(network or {}), "colors": image[0]})
    constant = source.predict(torch.nn.Identity(), image)  # what does not depend on the layers

    @cache
    def resized(share: float) -> tuple[float, tuple[int, ...]]:
        """Milliseconds of scaling the images, and their new shape."""
        shape = image[0], *(max(1, round(side * share)) for side in image[1:])
        return source.predict(Resize(share), image) - constant, shape

    @cache
    def layer(place: int, chosen: tuple[int, int] | None, shape: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        """Milliseconds of a layer, and the shape of its output."""
        module = shared.whole[place] if chosen is None else shared.places[place - BEFORE].build(*chosen)
        with torch.inference_mode():  # small layers run faster than their shapes are computed on the meta device
            output = module.eval()(torch.zeros(1, *shape))
        return source.predict(module, shape) - constant, tuple(output.shape[1:])

    def ms(arch: Arch) -> float:
        arch = space.check(arch)
        spent, shape = resized(space.share(arch))
        total = constant + spent
        for place, chosen in shared.layers(arch):
            spent, shape = layer(place, chosen, shape)
            total += spent
        return total

    return ms


def by_stage(source: LatencySource, space, image: Sequence[int]) -> Callable[[Arch], float]:
    """``arch -> milliseconds`` for `nasviz.spaces.ElasticResNet`: what `by_layer` is for the large elastic space.

    A stage's time depends on its own choices, on the side of the image and on the channels that enter. There are some
    two hundred such stages; each is asked for once, and no other network is built.
    """
    import torch

    constant = source.predict(torch.nn.Identity(), image)
    known: dict[tuple, float] = {}

    @torch.inference_mode()
    def stages(network) -> list[float]:
        """Milliseconds of each stage; a stage begins with its pooling, the first with the scaling of the images."""
        spent, shape = [0.0], tuple(image)
        for layer in network.eval():
            if isinstance(layer, torch.nn.MaxPool2d):
                spent.append(0.0)
            spent[-1] += source.predict(layer, shape) - constant
            shape = tuple(layer(torch.zeros(1, *shape)).shape[1:])
        return spent

    def ms(arch: Arch) -> float:
        own = space.stages(arch)
        inputs = (image[0], *(stage.width for stage in own[:-1]))
        entering = zip(inputs, own, strict=True)
        keys = [(number, space.share(arch), wide, stage) for number, (wide, stage) in enumerate(entering)]
        if not all(key in known for key in keys):
            known.update(zip(keys, stages(space.network(arch, colors=image[0])), strict=True))
        return constant + sum(known[key] for key in keys)

    return ms
