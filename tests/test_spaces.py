"""What holds for every space: one suite, which a new space joins by being exported from `nasviz.spaces`."""

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import ALL_SPACES

from nasviz.estimators import Recipe, Training
from nasviz.graph import Edge, Graph
from nasviz.nn import count
from nasviz.space import SearchSpace

everywhere = pytest.mark.parametrize("space", ALL_SPACES, ids=lambda space: space.name)
drawn = pytest.mark.parametrize(
    "space", [s for s in ALL_SPACES if type(s).graph is not SearchSpace.graph], ids=lambda space: space.name
)


def forbids_nothing(space):
    """No choice is conditional, and the rule lets any of some hundred tuples pass."""
    options = [len(choice.options) for choice in space.choices]
    tuples = np.random.default_rng(2).integers(options, size=(300, len(options)))
    return not space.conditional and all(space.rule(tuple(arch)) is None for arch in tuples.tolist())


plain = pytest.mark.parametrize("space", list(filter(forbids_nothing, ALL_SPACES)), ids=lambda space: space.name)
seeds = st.integers(0, 2**32 - 1)


def samples(space, count, seed=0):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def live(space, count, seed=0):
    """Architectures whose output the input reaches: 1.6 % of NAS-Bench-201's compute nothing, and have no gradient."""
    return [arch for arch in samples(space, 3 * count, seed) if space.canonical(arch) != "0"][:count]


# --------------------------------------------------------------------------------------------- tuples
@everywhere
def test_samples_are_valid_and_every_option_of_every_choice_comes(space):
    seen = [set() for _ in space.choices]
    for arch in samples(space, 2500):
        assert space.why_invalid(arch) is None
        for i, on in enumerate(space.active(arch)):
            if on:
                seen[i].add(arch[i])
    assert seen == [set(range(len(choice.options))) for choice in space.choices]


@plain
def test_where_nothing_is_conditional_or_forbidden_sampling_is_uniform(space):
    assert not uneven(samples(space, 6000, seed=1), space)


def uneven(archs, space):
    """Pairs of choices whose joint counts have a χ² that is exceeded by chance once in ten million times."""
    archs, options = np.array(archs), [len(choice.options) for choice in space.choices]
    pairs = []
    for i, j in combinations(range(min(len(options), 12)), 2):
        counts = np.bincount(archs[:, i] * options[j] + archs[:, j], minlength=options[i] * options[j])
        expected, freedom = len(archs) / len(counts), len(counts) - 1
        statistic = ((counts - expected) ** 2 / expected).sum()
        # Wilson & Hilferty 1931: the cube root of χ²/k is nearly normal
        if (statistic / freedom) ** (1 / 3) > 1 - 2 / (9 * freedom) + 5.2 * (2 / (9 * freedom)) ** 0.5:
            pairs.append((i, j))
    return pairs


@everywhere
def test_a_mutation_is_a_neighbour_and_reaches_every_neighbour(space):
    rng = np.random.default_rng(2)
    arch = space.sample(rng)
    neighbors = set(space.neighbors(arch))
    assert arch not in neighbors and neighbors
    assert all(space.why_invalid(other) is None for other in neighbors)
    draws = 12 * sum(space.active(arch)) * max(len(choice.options) for choice in space.choices)
    assert {space.mutate(arch, rng) for _ in range(draws)} == neighbors


@everywhere
def test_mutations_alone_reach_every_option_of_every_choice(space):
    rng = np.random.default_rng(3)
    arch, limit = space.sample(rng), 60 * len(space.choices) * max(len(choice.options) for choice in space.choices)
    unseen = {(i, option) for i, choice in enumerate(space.choices) for option in range(len(choice.options))}
    while unseen and (limit := limit - 1):
        arch = space.mutate(arch, rng)
        if not unseen.isdisjoint(enumerate(arch)):
            unseen -= {(i, arch[i]) for i, on in enumerate(space.active(arch)) if on}
    assert not unseen


@everywhere
def test_sampling_and_mutation_follow_from_the_generator(space):
    def walk(seed):
        rng = np.random.default_rng(seed)
        archs = [space.sample(rng) for _ in range(5)]
        return archs + [space.mutate(arch, rng) for arch in archs]

    np.random.seed(1)
    one = walk(7)
    np.random.seed(2)
    assert one == walk(7) != walk(8)


# --------------------------------------------------------------------------------------------- texts
@everywhere
@given(seeds)
@examples(60)
def test_text_goes_round(space, seed):
    (arch,) = samples(space, 1, seed)
    text = space.to_text(arch)
    assert space.from_text(text) == arch and "\n" not in text
    assert all(type(entry) is int for entry in space.from_text(text))


@everywhere
@given(st.data())
@examples(250)
def test_mutilated_text_is_a_value_error_or_another_architecture(space, data):
    (arch,) = samples(space, 1, data.draw(st.integers(0, 20)))
    text = space.to_text(arch)
    letters = st.text(st.sampled_from(sorted(set(text))) | st.characters(), max_size=4)
    at, cut = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 12))
    mutilated = text[:at] + data.draw(letters) + text[at + cut :]
    try:
        read = space.from_text(mutilated)
    except ValueError as error:
        assert re.search(r"position \d|choice \d|expected|no architecture of", str(error)), str(error)
    else:
        assert space.why_invalid(read) is None and space.from_text(space.to_text(read)) == read


@everywhere
def test_how_many_there_are_is_worked_out(space):
    text = space.counting()
    assert f"{space.size:,}" in text.replace("{,}", ","), text
    assert re.search(r"\*\*[^*]*\d[^*]*\*\*\D*$", text.rstrip()), "the last number is the result, in bold"
    assert text.count("$") % 2 == 0 and space.size > 1


@everywhere
def test_equal_architectures_have_one_canonical_form(space):
    for arch in samples(space, 30, seed=4):
        form = space.canonical(arch)
        assert isinstance(form, str) and form
        assert form == space.canonical(space.from_text(space.to_text(arch))) == space.canonical(tuple(np.array(arch)))
    assert len({space.canonical(arch) for arch in samples(space, 60, seed=5)}) > 1


# --------------------------------------------------------------------------------------------- pictures
def check_graph(graph, choices):
    assert len(set(graph.nodes)) == len(graph.nodes) >= 2
    assert not graph.ops or len(graph.ops) == len(graph.nodes)
    for edge in graph.edges:
        assert 0 <= edge.source < edge.target < len(graph.nodes), "nodes are not in topological order"
        assert edge.choice is None or 0 <= edge.choice < choices
    assert {edge.target for edge in graph.edges} | {edge.source for edge in graph.edges} == set(range(len(graph.nodes)))


@drawn
def test_graphs_are_in_topological_order(space):
    for arch in samples(space, 40, seed=6):
        check_graph(space.graph(arch), len(space.choices))
        cells = space.cells(arch)
        assert cells
        for cell in cells.values():
            check_graph(cell, len(space.choices))
    with pytest.raises(ValueError):
        space.graph((99,) * len(space.choices))


@pytest.mark.parametrize("space", [s for s in ALL_SPACES if hasattr(s, "relaxed")], ids=lambda space: space.name)
def test_relaxed_cells_and_the_way_back(space):
    for cell in space.cells().values():
        check_graph(cell, len(space.relaxed))
    open_edges = [edge.choice for cell in space.cells().values() for edge in cell.edges if edge.choice is not None]
    assert sorted(open_edges) == list(range(len(space.relaxed)))
    rng = np.random.default_rng(0)
    for _ in range(20):
        weights = rng.normal(size=(len(space.relaxed), len(space.relaxed[0].options)))
        assert space.why_invalid(space.discretize(weights)) is None


# --------------------------------------------------------------------------------------------- networks
def gradients(network, images):
    """Names of the weights that run but get no gradient from one batch, and of all weights that run."""
    dead = {id(w) for m in network.modules() if hasattr(m, "unused") for one in m.unused() for w in one.parameters()}
    names = {name: w for name, w in network.named_parameters() if id(w) not in dead}
    labels = torch.arange(len(images)) % 10
    torch.nn.functional.cross_entropy(network(images), labels).backward()
    return [name for name, w in names.items() if w.grad is None or not w.grad.any()], list(names)


@everywhere
def test_one_batch_gives_every_weight_that_runs_a_gradient(space):
    """From one of a few initialisations: two ReLUs of a small squeeze-excitation can both be off in one."""
    images = torch.randn(16, 1, 16, 16, generator=seeded(0))
    for arch in live(space, 4):
        missing, names = gradients(space.network(arch, generator=seeded(0)), images)
        for seed in range(1, 12):
            if missing:
                missing = set(missing) & set(gradients(space.network(arch, generator=seeded(seed)), images)[0])
        assert not missing and names, space.to_text(arch)


@everywhere
def test_it_trains(space):
    (arch,) = live(space, 1, seed=2)
    evaluation = Training(space, Recipe(size=8, images=128, epochs=2, batch=32))(arch)
    assert 0 <= evaluation.scores["accuracy"] <= 1 and np.isfinite(evaluation.scores["train_loss"])


@everywhere
def test_weights_follow_from_the_seed_and_the_shared_generator_is_left_alone(space):
    (arch,) = live(space, 1, seed=3)
    before, images = torch.get_rng_state(), torch.randn(4, 1, 8, 8, generator=seeded(0))
    one, same, other, unseeded, zero = (
        space.network(arch, generator=generator) for generator in (seeded(3), seeded(3), seeded(4), None, seeded(0))
    )
    flat = [torch.cat([w.flatten() for w in n.state_dict().values()]) for n in (one, same, other, unseeded, zero)]
    assert torch.equal(flat[0], flat[1]) and not torch.equal(flat[0], flat[2]) and torch.equal(flat[3], flat[4])
    assert torch.equal(one(images), same(images))
    assert torch.equal(before, torch.get_rng_state())


@everywhere
@pytest.mark.parametrize(("colors", "classes", "size"), [(1, 10, 8), (3, 7, 16)])
def test_any_images_and_classes(space, colors, classes, size):
    for arch in samples(space, 3, seed=4):
        network = space.network(arch, colors=colors, classes=classes).eval()
        logits = network(torch.randn(2, colors, size, size, generator=seeded(0)))
        assert logits.shape == (2, classes) and logits.isfinite().all()


@everywhere
def test_on_the_meta_device_it_counts_the_same_without_memory(space):
    for arch in samples(space, 3, seed=5):
        with torch.device("meta"):
            meta = space.network(arch)
        real = space.network(arch)
        assert all(w.is_meta for w in meta.state_dict().values())
        assert count.parameters(meta) == count.parameters(real) > 0
        assert count.madds(meta, (1, 16, 16)) == count.madds(real, (1, 16, 16)) > 0


@everywhere
@given(seeds)
@examples(30)
def test_random_members_build_and_run(space, seed):
    (arch,) = samples(space, 1, seed)
    network = space.network(arch, generator=seeded(seed % 2**31)).eval()
    with torch.no_grad():
        assert network(torch.ones(1, 1, 8, 8)).isfinite().all()


# --------------------------------------------------------------------------------------------- imports
def test_spaces_load_no_torch():
    program = """if True:
        import sys
        import numpy as np
        from nasviz import spaces
        rng = np.random.default_rng(0)
        for name in spaces.__all__:
            space = getattr(spaces, name)()
            arch = space.mutate(space.sample(rng), rng)
            assert space.from_text(space.to_text(arch)) == arch
            space.graph(arch), space.cells(arch), space.canonical(arch), space.counting(), space.size, repr(space)
        print(sorted({"torch", "torchvision", "plotly", "anywidget"} & set(sys.modules)))
    """
    root = Path(__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"


# -------------------------------------------------------------------------------------------- the suite sees an offence
def test_uneven_sampling_is_seen():
    space = ALL_SPACES[-1]
    archs = samples(space, 6000)
    assert not uneven(archs, space)
    assert uneven([(a, a % 2) for a, _ in archs], space) and uneven(archs[:4500] + 1500 * [(0, 0)], space)


def test_a_weight_that_never_runs_is_seen():
    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = torch.nn.Linear(4, 10), torch.nn.Linear(4, 10)

        def forward(self, x):
            return self.used(x.flatten(1))

    missing, names = gradients(Half(), torch.randn(8, 1, 2, 2, generator=seeded(0)))
    assert missing == ["idle.weight", "idle.bias"] and len(names) == 4


def test_a_graph_that_runs_backwards_is_seen():
    for edges in ((Edge(1, 0),), (Edge(0, 1, None, 5),), (Edge(0, 2),)):
        with pytest.raises(AssertionError):
            check_graph(Graph(("in", "out"), edges), 2)
