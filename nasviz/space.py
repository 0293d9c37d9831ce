"""Search spaces: an architecture is a tuple of choices.

Every space of the field, from a NAS-Bench-201 cell to a Once-for-all MobileNet, is an ordered list of categorical
choices. An RNN controller emits the tuple as tokens (Zoph & Le 2017), evolution changes one entry of it (Real et al.
2019), DARTS puts a softmax over each entry (Liu et al. 2019), Bayesian optimisation one-hot encodes it.

A space says what its choices are, which tuples are against its rules, and what network a tuple means. How to sample,
mutate and walk to a neighbour follows from that, and is written once, here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from math import prod

import numpy as np

from .graph import Graph

Arch = tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """One categorical decision.

    Parameters
    ----------
    name : str
        What is decided, as a student reads it: ``"0→1"``, ``"depth of unit 2"``.
    options : tuple
        What can be chosen. An architecture holds the *index* of an option.
    when : callable, optional
        ``when(prefix) -> bool`` sees the entries before this one and says whether the choice matters there. An entry
        that does not (a layer beyond the chosen depth) is *inactive*, and always 0.
    """

    name: str
    options: tuple
    when: Callable[[Arch], bool] | None = None


# What some spaces can do besides: what it is, and which of nasviz's spaces have it.
ABILITIES: Mapping[str, tuple[str, str]] = {
    "relaxed": ("choices as DARTS relaxes them, tuple of Choice", "NasBench201, DartsSpace"),
    "discretize": ("discretize(weights) -> Arch, which architecture relaxed weights mean", "NasBench201, DartsSpace"),
    "supernet": ("supernet(**size), a network that mixes all options by weights", "NasBench201, DartsSpace"),
    "single_path": (
        "single_path(**size), a network of shared weights in which one architecture runs at a time",
        "NasBench201, ElasticSpace",
    ),
    "largest": ("largest, the member of which all others are parts", "ElasticSpace"),
    "smallest": ("smallest, the member that is part of all others", "ElasticSpace"),
    "anchors": ("anchors, which choices point at earlier layers (Zoph & Le 2017, section 3.3)", "MacroSpace"),
    "operations": ("operations, names of what every edge chooses from", "NasBench201"),
    "distinct": ("distinct(), one architecture for each function", "NasBench201"),
    "mutate_as_published": ("mutate_as_published(arch, rng), the mutation of its paper", "NasNetSpace"),
}


class Lacks(AttributeError, ValueError):
    """A space was asked for an ability that it has not."""


class SearchSpace:
    """Base class of all spaces: set ``name`` and ``choices``, and write what the space needs of the rest.

    What only some spaces have stands in `ABILITIES`: `can` says whether this one has it, and asking for it raises
    `Lacks` where it has not.

    Attributes
    ----------
    name : str
        Identifies the space in recorded runs.
    choices : tuple of Choice
        The decisions, in the order in which a controller takes them.
    """

    name: str = "?"
    choices: tuple[Choice, ...] = ()

    @staticmethod
    def from_choices(
        choices: Mapping[str, Sequence],
        build: Callable | None = None,
        *,
        name: str = "own",
        rule: Callable[[Mapping], str | None] | None = None,
    ) -> SearchSpace:
        """A space of your own, in a notebook: what can be chosen, and a function that builds the network.

        Parameters
        ----------
        choices : mapping
            ``{name: options}``; names must be Python names.
        build : callable, optional
            ``build(depth=3, width=16, ..., colors=1, classes=10) -> torch.nn.Module``: gets the chosen *options* by
            name, and the colors and classes of the images; sizes given to the estimator or to `network` come as more
            keyword arguments. Use torch's own layers: what they draw at random is replaced, so that the weights follow
            from a seed alone.
        name : str
            Identifies the space in recorded runs: give two spaces two names.
        rule : callable, optional
            ``rule({name: option}) -> sentence or None``: which rule an architecture breaks.

        Returns
        -------
        SearchSpace
            Every strategy and view works on it. It travels to worker processes whole, functions included.

        Raises
        ------
        ValueError
            No choices, a choice without options or with one twice, a name that is no Python name or one that ``build``
            gets anyway. Later, when it is used: a rule that returns neither a sentence nor None.

        Examples
        --------
        >>> space = SearchSpace.from_choices({"depth": (1, 2, 3), "width": (8, 16)})
        >>> space.size, space.to_text((2, 0))
        (6, '3, 8')
        """
        return OwnSpace(choices, build, name, rule)

    # ------------------------------------------------------------------ what a space may add
    def can(self, ability: str) -> bool:
        """Whether this space has one of `ABILITIES`. ValueError for another name."""
        if ability not in ABILITIES:
            raise ValueError(f"{ability!r} is no ability of spaces; those are {sorted(ABILITIES)}")
        return hasattr(self, ability)

    def __getattr__(self, name: str):
        if name in ABILITIES:
            what, who = ABILITIES[name]
            raise Lacks(f"the space {self.name} has no {name}. That is {what}. Spaces that have it: {who}")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def rule(self, arch: Arch) -> str | None:
        """The sentence that says which rule of the space ``arch`` breaks, or None. Form is checked elsewhere."""
        return None

    def graph(self, arch: Arch) -> Graph:
        """Nodes and labelled edges of ``arch``."""
        raise NotImplementedError(f"{type(self).__name__} has no graph: write graph(arch) -> Graph")

    def cells(self, arch: Arch | None = None) -> Mapping[str, Graph]:
        """The graphs that are drawn side by side, by name: a normal and a reduction cell, or the one there is.

        Without an architecture: the cells with everything still open, as a supernet holds them; `Edge.choice` then
        counts in ``relaxed``.
        """
        return {"cell": self.graph(arch)}

    def counting(self) -> str:
        """How the number of architectures comes about, step by step, as Markdown with formulas."""
        factors = " · ".join(str(len(choice.options)) for choice in self.choices)
        return f"{len(self.choices)} choices, each made independently: {factors} = **{self.size:,}**"

    def network(self, arch: Arch, **size):
        """A ``torch.nn.Module`` for ``arch``."""
        raise NotImplementedError(f"{type(self).__name__} builds no network: write network(arch, **size)")

    def canonical(self, arch: Arch) -> str:
        """A text that is equal exactly for architectures that compute the same function (here: equal tuples)."""
        return self.to_text(self.normal(arch))

    def to_text(self, arch: Arch) -> str:
        """``arch`` as a person writes it: one option a choice, with commas."""
        return ", ".join(str(c.options[i]) for c, i in zip(self.choices, self.check(arch), strict=True))

    def from_text(self, text: str) -> Arch:
        """The architecture that `to_text` wrote. ValueError with the position of what is wrong."""
        words, arch = text.split(", "), ()
        if len(words) != len(self.choices):
            raise ValueError(f"{self.name}: expected {len(self.choices)} choices separated by ', ', got {len(words)}")
        for position, (choice, word) in enumerate(zip(self.choices, words, strict=True)):
            options = [str(option) for option in choice.options]
            if word not in options:
                raise ValueError(f"{self.name}: choice {position} ({choice.name}): {word!r} is none of {options}")
            arch += (options.index(word),)
        return self.check(arch)

    # ------------------------------------------------------------------ what follows from the choices
    @property
    def size(self) -> int:
        """Number of option tuples, before rules and inactive entries reduce it."""
        return prod(len(c.options) for c in self.choices)

    def active(self, arch: Sequence[int]) -> tuple[bool, ...]:
        """Which entries matter. ``arch`` must be in normal form."""
        return tuple(c.when is None or bool(c.when(tuple(arch[:i]))) for i, c in enumerate(self.choices))

    def normal(self, arch: Sequence[int]) -> Arch:
        """``arch`` with every inactive entry 0 and every entry a plain int."""
        out: Arch = ()
        for choice, option in zip(self.choices, arch, strict=True):
            out += (int(option) if choice.when is None or choice.when(out) else 0,)
        return out

    def why_invalid(self, arch: Sequence[int]) -> str | None:
        """The sentence that says what is wrong with ``arch``, or None if nothing is."""
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
        """``arch`` as a tuple of plain ints, or a ValueError that says what is wrong with it."""
        if reason := self.why_invalid(arch):
            raise ValueError(f"{tuple(arch)} is no architecture of {self.name}: {reason}")
        return tuple(int(option) for option in arch)

    def sample(self, rng: np.random.Generator) -> Arch:
        """Every active choice drawn uniformly, again until no rule is broken.

        Uniform over the valid architectures where no choice is conditional. With conditional choices an architecture
        is as likely as the decisions that lead to it, which is how the papers sample: shallow networks are few, and
        uniform sampling over architectures would hardly ever show one.

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
        """Every valid architecture that differs in one active choice (and what that makes inactive), in order."""
        active = self.active(arch)
        for i, choice in enumerate(self.choices):
            for option in range(len(choice.options)) if active[i] else ():
                other = self.normal(arch[:i] + (option,) + arch[i + 1 :])
                if option != arch[i] and self.rule(other) is None:
                    yield other

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """A neighbour: one active choice, uniform, set to another option, uniform; again until no rule is broken.

        Raises
        ------
        ValueError
            If no change of one choice is valid.
        """
        places = self._open
        if self.conditional:
            active = self.active(arch)
            places = [i for i in places if active[i]]
        for _ in range(200):
            if not places:
                break
            i = places[int(rng.random() * len(places))]
            option = int(rng.random() * (len(self.choices[i].options) - 1))
            option += option >= arch[i]
            other = arch[:i] + (option,) + arch[i + 1 :]
            if self.conditional:
                other = self.normal(other)
            if self.rule(other) is None:
                return other
        others = list(self.neighbors(arch))             # nearly every change breaks a rule: take one that does not
        if others:
            return others[int(rng.random() * len(others))]
        raise ValueError(f"{self.to_text(arch)} has no neighbour in {self.name}: every single change is invalid")

    @cached_property
    def conditional(self) -> bool:
        """Whether some choice matters only for some values of earlier ones."""
        return any(c.when is not None for c in self.choices)

    @cached_property
    def _open(self) -> list[int]:
        """The choices between several options: asked for at each mutation."""
        return [i for i, choice in enumerate(self.choices) if len(choice.options) > 1]

    def __eq__(self, other):
        return type(self) is type(other) and self.name == other.name

    def __hash__(self):
        return hash((type(self), self.name))

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}: {len(self.choices)} choices, {self.size:,} architectures>"


class OwnSpace(SearchSpace):
    """What `SearchSpace.from_choices` returns."""

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
        """``{name: option}`` of an architecture."""
        return {c.name: c.options[i] for c, i in zip(self.choices, arch, strict=True)}

    def rule(self, arch: Arch) -> str | None:
        """What the given function says of the chosen options."""
        reason = self._rule(self.chosen(arch)) if self._rule else None
        if reason is not None and not (isinstance(reason, str) and reason):
            raise ValueError(f"the rule of {self.name} must return a sentence or None, it returned {reason!r}")
        return reason

    def network(self, arch: Arch, *, colors: int = 1, classes: int = 10, generator=None, **size):
        """What ``build`` makes of ``arch``, its weights drawn from ``generator`` (None: one with seed 0)."""
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
