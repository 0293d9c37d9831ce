"""What one sees of a search. Nothing here is needed to search: views read steps, and import no strategy.

=================== ==================================================================================================
`Player`            a search with its buttons and sliders, drawn while it runs
`CellEditor`        a cell to change by hand, to count and to train
`show`              one architecture, or a supernet's weights, as a picture (`nasviz.views.stage.cell`)
`show_graph`        a graph that is no member of a space, such as a module that people designed
`stage_of`          a finished or recorded run, to play back
`alphas`            architecture weights, edge by edge, in time
`SideBySide`        two searches in lock-step under one player
`Mixture`           one edge of a supernet relaxed by hand: sliders are α, the validation loss answers
`Surface`, `Plane`  the loss around architecture weights; paths of descents on a function of two numbers
`policy`, `unroll`  a controller's probabilities as they sharpen; one architecture, token by token
`Space`             a space at a glance: choices, size, random members; `compare` two of them, walk by `mutations`
`Network`           a whole network: parameters and multiply-adds of its blocks, down to one operation
`Zoo`               the famous architectures: accuracy against cost
`Compound`          EfficientNet's scaling, its coefficients as sliders
`Correlation`       an estimator's ranking against the truth, live
`CostQuality`       every estimator: how well it ranks against what it costs
`Proxies`           a cheaper training, its reductions as sliders, tried on a sample
`Landscape`         a table as a place: histogram, costs, neighbours, what operations do
`Collapse`          DARTS-like searches as they turn degenerate: skips, losses, sharpness, when; `Tryout` has sliders
`Elastic`           children of an elastic supernet by hand: what each is of it, and what it inherits
`Shrinking`         the training of such a supernet: children's accuracies, stage by stage
`surrogate`         what a Bayesian search believes of its candidates, what it took, and what came out
`population`        who lives, by age, the family of the best, and the mutation of each step in the cell
`neighborhood`      local search walking on the graph of one-edit neighbours
`Bill`, `Headlines` what searches cost, one's own among them, the assumptions as sliders (`nasviz.analysis.cost`)
`Pareto`            two objectives: the front of what nothing beats in both, live (`nasviz.objectives`)
`Counted`           multiply-adds against measured milliseconds: which operations put a network off the line
`Latency`, `Devices` a network's milliseconds by operation; who wins on which device (`nasviz.hardware`)
`race`              strategies with many seeds: regret with bands, a slider through time (`nasviz.races.race`)
`progress`, `band_of` every evaluation and the best so far, beside random search: a chart to explore
`Stage`             what draws them all (`nasviz.views.stage.widget`); `replay.to_html` writes it as a page
=================== ==================================================================================================
"""

# Not lazy, other than the packages that compute: who draws needs the widgets anyway, and a function that has the name
# of its file (alphas, progress) must be bound after the file is imported, once and for all.
from .charts.bill import Bill, Headlines
from .charts.collapse import Collapse, Tryout
from .charts.correlation import Correlation
from .charts.cost_quality import CostQuality
from .charts.devices import Devices
from .charts.elastic import Elastic
from .charts.landscape import Landscape
from .charts.latency import Latency
from .charts.madds_and_time import Counted
from .charts.network import Network
from .charts.pareto import Pareto
from .charts.proxies import Proxies
from .charts.race import race
from .charts.scaling import Compound
from .charts.shrinking import Shrinking
from .charts.surface import Plane, Surface
from .charts.surrogate import surrogate
from .charts.zoo import Zoo
from .stage import Stage, cell, replay
from .stage.alphas import alphas
from .stage.cell import show, show_graph
from .stage.editor import CellEditor
from .stage.from_search import stage_of
from .stage.mixture import Mixture
from .stage.neighborhood import neighborhood
from .stage.player import Player
from .stage.policy import policy, unroll
from .stage.population import population
from .stage.progress import band_of, progress
from .stage.side_by_side import SideBySide
from .stage.space import Space, compare, mutations

__all__ = [
    "Bill",
    "CellEditor",
    "Collapse",
    "Compound",
    "Correlation",
    "CostQuality",
    "Counted",
    "Devices",
    "Elastic",
    "Headlines",
    "Landscape",
    "Latency",
    "Mixture",
    "Network",
    "Pareto",
    "Plane",
    "Player",
    "Proxies",
    "Shrinking",
    "SideBySide",
    "Space",
    "Stage",
    "Tryout",
    "Surface",
    "Zoo",
    "alphas",
    "band_of",
    "cell",
    "compare",
    "mutations",
    "neighborhood",
    "policy",
    "population",
    "progress",
    "race",
    "replay",
    "show",
    "show_graph",
    "stage_of",
    "surrogate",
    "unroll",
]
