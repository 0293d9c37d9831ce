"""Search spaces: an architecture is a tuple of choices.

Every space of the field, from a NAS-Bench-201 cell to a Once-for-all MobileNet, is an ordered list of categorical
choices. An RNN controller emits the tuple as tokens (Zoph & Le 2017), evolution changes one entry of it (Real et al.
2019), DARTS puts a softmax over each entry (Liu et al. 2019), Bayesian optimisation one-hot encodes it.

A space defines its choices, the rules that a tuple must obey, and the network of a tuple. Sampling, mutation and the
step to a neighbour follow from these, and are written only once, here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from math import prod
from typing import cast

import numpy as np

from .graph import Graph

Arch = tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """One categorical decision.

    Parameters
    ----------
    name : str
        Name of the decision, as a student reads it: ``"0→1"``, ``"depth of unit 2"``.
    options : tuple
        The possible values. An architecture holds the *index* of an option.
    when : callable, optional
        ``when(prefix) -> bool`` gets the entries before this one and returns whether the choice matters. An entry that
        does not matter (such as that of a layer beyond the chosen depth) is *inactive*, and always 0.
    """

    name: str
    options: tuple
    when: Callable[[Arch], bool] | None = None


# Abilities that only some spaces have. For each: what the attribute is, and the spaces of nasviz that have it.
ABILITIES: Mapping[str, tuple[str, str]] = {
    "relaxed": ("a tuple of Choice: the choices to which DARTS gives architecture weights", "NasBench201, DartsSpace"),
    "discretize": (
        "a method, discretize(weights) -> Arch: it returns the architecture that architecture weights stand for",
        "NasBench201, DartsSpace",
    ),
    "supernet": (
        "a method, supernet(**size): it builds a network that mixes all options of a choice by their weights",
        "NasBench201, DartsSpace",
    ),
    "single_path": (
        "a method, single_path(**size): it builds a network whose weights all architectures share; each call of the "
        "network runs one architecture",
        "NasBench201, ElasticSpace, ElasticResNet, TransformerSpace",
    ),
    "largest": (
        "an Arch: the largest member, which contains all others",
        "ElasticSpace, ElasticResNet, TransformerSpace",
    ),
    "smallest": (
        "an Arch: the smallest member, which all others contain",
        "ElasticSpace, ElasticResNet, TransformerSpace",
    ),
    "nested": (
        "a tuple of Arch: the members that MatFormer trains, each of which contains the ones before it",
        "TransformerSpace",
    ),
    "madds": (
        "a method, madds(arch): it counts multiply-adds without building the network",
        "ElasticResNet, TransformerSpace",
    ),
    "anchors": (
        "a tuple of range: for each layer, the choices that decide which earlier layers it reads (Zoph & Le 2017, "
        "section 3.3)",
        "MacroSpace",
    ),
    "operations": ("a tuple of names: the operations among which every edge chooses", "NasBench201"),
    "distinct": (
        "a method, distinct(): it lists one architecture for each function",
        "NasBench201, NasBenchMacro, ElasticResNet",
    ),
    "mutate_as_published": (
        "a method, mutate_as_published(arch, rng): it mutates an architecture as the paper of the space says",
        "NasNetSpace",
    ),
}


class Lacks(AttributeError, ValueError):
    """The error for an ability that a space does not have."""


class SearchSpace:
    """Base class of all spaces: a subclass sets ``name`` and ``choices``, and overrides the methods that it needs.

    `ABILITIES` lists the attributes that only some spaces have: `can` tells whether a space has one, and reading an
    attribute that the space does not have raises `Lacks`.

    Attributes
    ----------
    name : str
        Name of the space in recorded runs.
    title : str
        What readers call it; empty where its name will do.
    choices : tuple of Choice
        The decisions, in the order in which a controller takes them.
    """

    name: str = "?"
    title: str = ""
    choices: tuple[Choice, ...] = ()

    @staticmethod
    def from_choices(
        choices: Mapping[str, Sequence],
        build: Callable | None = None,
        *,
        name: str = "own",
        rule: Callable[[Mapping], str | None] | None = None,
    ) -> SearchSpace:
        """Make a space of your own, for example in a notebook, from choices and a function that builds the network.

        Parameters
        ----------
        choices : mapping
            ``{name: options}``; names must be Python names.
        build : callable, optional
            ``build(depth=3, width=16, ..., colors=1, classes=10) -> torch.nn.Module``: gets the chosen *options* by
            name, and the colors and classes of the images; sizes given to the estimator or to `network` are further
            keyword arguments. Any layers will do. What it draws from the global generators of torch, NumPy and Python
            follows from the seed. The weights of ``Conv2d``, ``Linear`` and ``BatchNorm2d`` are drawn anew, in torch's
            usual way, unless they are frozen (``requires_grad_(False)``).
        name : str
            Name of the space in recorded runs: give two spaces two names.
        rule : callable, optional
            ``rule({name: option}) -> sentence or None``: the rule that an architecture breaks, if any.

        Returns
        -------
        SearchSpace
            Every strategy and view works on it. Worker processes get the whole space, functions included.

        Raises
        ------
        ValueError
            No choices, a choice without options or with an option twice, a name that is no Python name or that
            ``build`` gets anyway. Later, when it is used: a rule that returns neither a sentence nor None.

        Examples
        --------
        >>> space = SearchSpace.from_choices({"depth": (1, 2, 3), "width": (8, 16)})
        >>> space.size, space.to_text((2, 0))
        (6, '3, 8')
        """
        return OwnSpace(choices, build, name, rule)

    # ------------------------------------------------------------------ methods that a space may override
    def can(self, ability: str) -> bool:
        """Return whether this space has one of `ABILITIES`. ValueError for another name."""
        if ability not in ABILITIES:
            raise ValueError(f"{ability!r} is no ability of spaces; those are {sorted(ABILITIES)}")
        return hasattr(self, ability)

    def __getattr__(self, name: str):
        if name in ABILITIES:
            what, who = ABILITIES[name]
            raise Lacks(f"the space {self.name} has no {name}. It would be {what}. Spaces that have it: {who}")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def rule(self, arch: Arch) -> str | None:
        """Return a sentence that names the rule of the space that ``arch`` breaks, or None. `check` tests the form."""
        return None

    def graph(self, arch: Arch) -> Graph:
        """Return the nodes and labelled edges of ``arch``."""
        raise NotImplementedError(f"{type(self).__name__} has no graph: write graph(arch) -> Graph")

    def cells(self, arch: Arch | None = None) -> Mapping[str, Graph]:
        """Return the graphs that views draw side by side, by name: a normal and a reduction cell, or a single graph.

        Without an architecture, the graphs have all edges of a supernet, undecided; `Edge.choice` is then an index in
        ``relaxed``.
        """
        return {"cell": self.graph(cast("Arch", arch))}  # without one: where graph takes none

    def counting(self) -> str:
        """Explain the number of architectures, step by step, as Markdown with formulas."""
        factors = " · ".join(str(len(choice.options)) for choice in self.choices)
        return f"{len(self.choices)} choices, each made independently: {factors} = **{self.size:,}**"

    def network(self, arch: Arch, **size):
        """Build a ``torch.nn.Module`` for ``arch``."""
        raise NotImplementedError(f"{type(self).__name__} builds no network: write network(arch, **size)")

    def canonical(self, arch: Arch) -> str:
        """Return a text that is equal exactly for architectures with the same function (here: for equal tuples)."""
        return self.to_text(self.normal(arch))

    def to_text(self, arch: Arch) -> str:
        """Write ``arch`` for people: one option for each choice, with commas."""
        return ", ".join(str(c.options[i]) for c, i in zip(self.choices, self.check(arch), strict=True))

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError names the position of an error in the text."""
        words = text.split(", ")
        arch: Arch = ()
        if len(words) != len(self.choices):
            raise ValueError(f"{self.name}: expected {len(self.choices)} choices separated by ', ', got {len(words):,}")
        for position, (choice, word) in enumerate(zip(self.choices, words, strict=True)):
            options = [str(option) for option in choice.options]
            if word not in options:
                raise ValueError(f"{self.name}: choice {position} ({choice.name}): {word!r:.60} is none of {options}")
            arch += (options.index(word),)
        return self.check(arch)

    # ------------------------------------------------------------------ methods that follow from the choices
    @property
    def size(self) -> int:
        """The number of option tuples, before rules and inactive entries reduce it."""
        return prod(len(c.options) for c in self.choices)

    def active(self, arch: Sequence[int]) -> tuple[bool, ...]:
        """Return, for each entry of ``arch``, whether it matters. ``arch`` must be in normal form."""
        return tuple(c.when is None or bool(c.when(tuple(arch[:i]))) for i, c in enumerate(self.choices))

    def normal(self, arch: Sequence[int]) -> Arch:
        """Return the normal form of ``arch``: every inactive entry is 0, and every entry a plain int."""
        out: Arch = ()
        for choice, option in zip(self.choices, arch, strict=True):
            out += (int(option) if choice.when is None or choice.when(out) else 0,)
        return out

    def why_invalid(self, arch: Sequence[int]) -> str | None:
        """Return a sentence that describes the error in ``arch``, or None if it is valid."""
        if len(arch) != len(self.choices):
            return f"{self.name} has {len(self.choices)} choices, this architecture {len(arch)}"
        for position, (choice, option) in enumerate(zip(self.choices, arch, strict=True)):
            if not isinstance(option, int | np.integer) or not 0 <= option < len(choice.options):
                last = len(choice.options) - 1
                return f"choice {position} ({choice.name}) must be a whole number from 0 to {last}, got {option!r}"
        if (normal := self.normal(arch)) != tuple(arch):
            position = next(i for i, (a, b) in enumerate(zip(arch, normal, strict=True)) if a != b)
            return f"choice {position} ({self.choices[position].name}) is inactive here and must be 0"
        return self.rule(normal)

    def check(self, arch: Sequence[int]) -> Arch:
        """Return ``arch`` as a tuple of plain ints, or raise a ValueError that describes the error in it."""
        if reason := self.why_invalid(arch):
            raise ValueError(f"{tuple(arch)} is no architecture of {self.name}: {reason}")
        return tuple(int(option) for option in arch)

    def sample(self, rng: np.random.Generator) -> Arch:
        """Draw every active choice uniformly, and draw again until no rule is broken.

        If no choice is conditional, sampling is uniform over the valid architectures. With conditional choices the
        probability of an architecture is that of the decisions that lead to it. The papers sample in this way: there
        are few shallow networks, and uniform sampling over architectures would hardly ever draw one.

        Raises
        ------
        ValueError
            If 100,000 draws in a row break a rule.
        """
        counts = [len(c.options) for c in self.choices]
        for _ in range(100_000):
            arch = self.normal(rng.integers(counts).tolist())
            if (reason := self.rule(arch)) is None:
                return arch
        raise ValueError(f"{self.name}: 100,000 draws in a row break a rule, the last one: {reason}")

    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        """Yield, in order, every valid architecture that differs in one active choice (and what it switches off)."""
        active = self.active(arch)
        for i, choice in enumerate(self.choices):
            for option in range(len(choice.options)) if active[i] else ():
                other = self.normal(arch[:i] + (option,) + arch[i + 1 :])
                if option != arch[i] and self.rule(other) is None:
                    yield other

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Draw a neighbour: set one active choice to another option, both uniform; again until no rule is broken.

        Raises
        ------
        ValueError
            If no change of one choice is valid.
        """
        places, others, draw, conditional = self._open, self._others, rng.random, self.conditional
        if conditional:
            active = self.active(arch)
            places = [i for i in places if active[i]]
        for _ in range(200):
            if not places:
                break
            i = places[int(draw() * len(places))]
            option = int(draw() * others[i])
            option += option >= arch[i]
            changed = list(arch)
            changed[i] = option
            other = self.normal(changed) if conditional else tuple(changed)
            if self.rule(other) is None:
                return other
        valid = list(self.neighbors(arch))  # nearly every change breaks a rule: choose among the valid ones
        if valid:
            return valid[int(draw() * len(valid))]
        raise ValueError(f"{self.to_text(arch)} has no neighbour in {self.name}: every single change is invalid")

    @cached_property
    def conditional(self) -> bool:
        """Whether any choice matters only for some values of earlier choices."""
        return any(c.when is not None for c in self.choices)

    @cached_property
    def _open(self) -> list[int]:
        """The numbers of the choices with several options. They are cached because each mutation needs them."""
        return [i for i, choice in enumerate(self.choices) if len(choice.options) > 1]

    @cached_property
    def _others(self) -> list[int]:
        """How many options each choice has besides one that is chosen."""
        return [len(choice.options) - 1 for choice in self.choices]

    def __eq__(self, other):
        return type(self) is type(other) and self.name == other.name

    def __hash__(self):
        return hash((type(self), self.name))

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}: {len(self.choices)} choices, {self.size:,} architectures>"


class OwnSpace(SearchSpace):
    """A space made by `SearchSpace.from_choices`."""

    def __init__(self, choices: Mapping[str, Sequence], build, name: str, rule):
        if not choices:
            raise ValueError("a space needs at least one choice: from_choices({'depth': (1, 2, 3)}, build)")
        for key, options in choices.items():
            if not isinstance(key, str) or not key.isidentifier() or iskeyword(key):
                raise ValueError(f"{key!r} cannot name a choice: build gets it as a keyword argument")
            if key in ("colors", "classes", "generator"):
                raise ValueError(f"{key!r} cannot name a choice: the images say it, or the seed")
            if isinstance(options, str) or not isinstance(options, Iterable):
                raise ValueError(f"the options of {key!r} must be a sequence, such as (1, 2, 3), got {options!r}")
        self.choices = tuple(Choice(key, tuple(options)) for key, options in choices.items())
        for choice in self.choices:
            texts = [str(option) for option in choice.options]
            if not texts or len(set(texts)) < len(texts):
                raise ValueError(f"the choice {choice.name!r} needs options that differ as texts, got {texts}")
            if any(", " in text for text in texts):
                raise ValueError(f"options of {choice.name!r} must not contain ', ', which separates them in a text")
        self.name, self._build, self._rule = name, build, rule

    def chosen(self, arch: Arch) -> dict:
        """Return ``{name: option}`` of an architecture."""
        return {c.name: c.options[i] for c, i in zip(self.choices, arch, strict=True)}

    def rule(self, arch: Arch) -> str | None:
        """Return the result of the given rule for the chosen options."""
        reason = self._rule(self.chosen(arch)) if self._rule else None
        if reason is not None and not (isinstance(reason, str) and reason):
            raise ValueError(f"the rule of {self.name} must return a sentence or None, it returned {reason!r}")
        return reason

    def network(self, arch: Arch, *, colors: int = 1, classes: int = 10, generator=None, **size):
        """Build the network of ``arch`` with ``build``, and draw its weights from ``generator`` (None: seed 0)."""
        if self._build is None:
            raise NotImplementedError(f"{self.name} builds no network: give from_choices a function that does")
        from .weights import built

        options = self.chosen(self.check(arch))
        if both := sorted(options.keys() & size):
            raise ValueError(f"{self.name} chooses {both} itself: it cannot be given as a size as well")
        return built(lambda: self._build(**options, colors=colors, classes=classes, **size), generator)

    def __eq__(self, other):
        return super().__eq__(other) and self.choices == other.choices

    __hash__ = SearchSpace.__hash__  # options may be lists
