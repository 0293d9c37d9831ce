"""Weight sharing: judge an architecture by its accuracy on a supernet's weights, without training it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from .. import datasets
from ..chance import BUILD, JUDGE, Draws, drawn_from
from ..estimator import Estimator
from ..nn import single_path
from ..nn.gpu import size_of
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..paths import data_dir
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..spaces import ElasticSpace
from ..step import Evaluation
from .training import _data, evaluated, measured, tensors_of

if TYPE_CHECKING:
    from ..nn.elastic import ElasticNetwork

BATCH = 64  # images in a batch of the re-calibration, as in training


@dataclass(frozen=True)
class Inherited(Estimator):
    """An estimator that validates with the weights of a trained single-path supernet (Guo et al. 2020, section 3.4).

    The state is that of any epoch of a `nasviz.strategies.TrainSupernet`; `of` copies the sizes from that strategy. The
    accuracy is not that of a network trained alone, so the score has another name. Whether it ranks architectures well
    is the open question of weight sharing (Yu et al. 2020, "Evaluating the search phase of neural architecture
    search").

    Parameters
    ----------
    space : SearchSpace
    state : bytes
        `Step.state` of the supernet's training.
    recalibrate : int
        Number of batches of 64 training images from which the architecture's batch-norms take their statistics before
        it is judged. 0 keeps the statistics from training, to which other architectures contributed too.
    dataset : str or Dataset
    size : int
        Height and width of the images, pixels.
    network : mapping
        Size of the supernet, as in its training.

    Raises
    ------
    ValueError
        For a state of another supernet, or more batches than there are training images for.

    Notes
    -----
    Scores: ``"inherited"`` (validation accuracy, 0 to 1) and ``"inherited_loss"`` (validation, nats). Any strategy can
    search with this estimator: ``RegularizedEvolution(space, inherited, objective=Score("inherited"))``. The seed of a
    call changes nothing.

    Examples
    --------
    >>> *_, last = TrainSupernet(space, epochs=10)  # doctest: +SKIP
    >>> Inherited(space, last.state, recalibrate=10)((3, 1, 3, 1, 1, 3)).scores["inherited"]  # doctest: +SKIP
    0.61
    """

    space: SearchSpace
    state: bytes = field(repr=False)
    recalibrate: int = ranged(10, 0)
    dataset: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    size: int = ranged(8, 1)
    network: Mapping = field(default_factory=dict, hash=False)

    def __post_init__(self):
        check_fields(self)

    @classmethod
    def of(cls, search, state: bytes, recalibrate: int = 10) -> Inherited:
        """Return an estimator on the ``state`` that a step of ``search``, a `TrainSupernet`, carried."""
        return cls(search.space, state, recalibrate, search.data, search.size, size_of(search.network))

    def network_of(self, arch: Arch):
        """Return ``arch`` as a separate network, with inherited, re-calibrated weights. Only from an elastic supernet.

        The network is that of ``space.network``, in evaluation mode. It can be used as it is, trained or exported.
        """
        self(arch)
        return cast("ElasticNetwork", self.supernet).extract(arch)

    def cost(self, arch: Arch) -> dict[str, float]:
        """Return ``{"parameters": …, "madds": …}`` of ``arch`` as a network of its own, for one image."""
        data = _data(self.dataset, self.size)
        with drawn_from(0, BUILD):
            network = self.space.network(arch, **self.network, colors=data.colors, classes=len(data.classes))
            return measured(network, data)

    @cached_property
    def supernet(self) -> single_path.PathNetwork:
        """The network that holds the shared weights: ``supernet(images, arch)``."""
        data = _data(self.dataset, self.size)
        with drawn_from(0, BUILD):
            supernet = self.space.single_path(**self.network, colors=data.colors, classes=len(data.classes))
        take_over(self.state, {f"network.{name}": tensor for name, tensor in supernet.state_dict().items()})
        return supernet

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Judge ``arch``. Nothing is trained, so ``epochs`` is ignored. ValueError if ``arch`` is not in the space."""
        arch = self.space.check(arch)
        supernet, images = self.supernet, tensors_of(self.dataset, self.size, "train")[0]
        if self.recalibrate * BATCH > len(images):
            most = len(images) // BATCH
            raise ValueError(f"recalibrate must be a number of batches from 0 to {most}, got {self.recalibrate!r}")
        start = time.perf_counter()
        with one_thread(), Draws(supernet, 0)(JUDGE):
            if self.recalibrate:
                single_path.recalibrate(supernet, arch, images[: self.recalibrate * BATCH].split(BATCH))
            accuracy, loss = evaluated(supernet.select(arch), *tensors_of(self.dataset, self.size, "valid"))
        scores = {"inherited": accuracy, "inherited_loss": loss}
        return Evaluation(arch, scores, time.perf_counter() - start, 0, seed)


def elastic_supernet(recalibrate: int = 10) -> Inherited:
    """Load the elastic supernet that comes with nasviz, ``data/elastic-supernet.safetensors``, trained by `BigNas`.

    Raises
    ------
    FileNotFoundError
        If the file is missing; the message has the command that makes it.
    """
    path = data_dir() / "elastic-supernet.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: make it with `python data/scripts/record_one_shot.py supernet`")
    return Inherited(ElasticSpace(), path.read_bytes(), recalibrate)
