"""Questions for labs 08 and 09: what shared weights cost and rank, what an interval covers, when sharing pays."""

from __future__ import annotations

import numpy as np

from ...analysis import cost, stats
from .question import Drawn, Question, Wrong, asks, listed


@asks("search-evaluation-gap", 1, "medium")
def the_same_price(rng: np.random.Generator) -> Drawn:
    """How many trainings may an opponent have for the price of a supernet?"""
    images, epochs = int(rng.integers(2, 9)) * 1000, int(rng.integers(20, 61))
    cells, judged = int(rng.integers(100, 501)), int(rng.integers(1, 5)) * 500
    alone, short = int(rng.integers(2, 9)) * 1000, int(rng.integers(6, 13))
    training = 3 * images * epochs
    ranking = cells * judged
    each = 3 * alone * short + judged
    return Drawn(
        f"A supernet is trained on {images:,} images for {epochs} epochs. Then {cells} cells inherit its weights, and "
        f"each is judged on {judged:,} images. An opponent trains cells from scratch, each on {alone:,} images for "
        f"{short} epochs, and judges it on the same {judged:,} images. A backward pass costs two forward passes, and "
        "all networks are of one size. How many whole trainings may the opponent have at the same price?",
        (training + ranking) // each,
        "One counts forward passes: three for each image that trains, one for each that judges, the ranking included.",
        (
            Wrong(training // each, "The ranking is not free. Each of the cells runs on all images that judge."),
            Wrong(
                (training // 3 + ranking) // each,
                "The supernet's backward passes were forgotten, and the opponent's were counted.",
            ),
            Wrong(
                (training + ranking) // (each - 2 * alone * short),
                "The opponent's backward passes were forgotten, and the supernet's were counted.",
            ),
            Wrong(cells, "Each cell of the ranking is cheap: it inherits, and is not trained."),
        ),
        tolerance=0.49,
    )


PARTS = {
    "architectures": "other architectures, judged by the same supernet",
    "supernets": "other supernets, trained from new seeds on the same images",
    "images": "other draws of the training images, for one seed",
    "judges": "other trainings that serve as the judge",
}


@asks("search-evaluation-gap", 2, "medium")
def what_an_interval_covers(rng: np.random.Generator) -> Drawn:
    """What was drawn again, and what is therefore claimed?"""
    drawn = str(rng.choice(list(PARTS)))
    count = int(rng.integers(8, 13)) * (10 if drawn == "architectures" else 1)
    told = {
        "architectures": f"{count} architectures inherit from one supernet. The architectures are resampled.",
        "supernets": f"{count} supernets are trained from {count} seeds on the same images. The supernets are "
        "resampled.",
        "images": f"One supernet is trained {count} times with one seed, on {count} draws of images. The draws are "
        "resampled.",
        "judges": f"One supernet's ranking is compared with {count} sets of single trainings. These sets are "
        "resampled.",
    }
    why = {
        "architectures": "The same architectures were used each time, so nothing says how others would come out.",
        "supernets": "One seed trained the supernet each time, so nothing says how another seed would come out.",
        "images": "All trainings saw the same images, so nothing says how another draw would come out.",
        "judges": "One judge was used throughout, so nothing says how another one would decide.",
    }
    low = round(rng.uniform(0.02, 0.1), 2)
    return Drawn(
        f"A change raises Kendall's τ, and the 95 % interval of the gain is {low:.2f} to "
        f"{low + round(rng.uniform(0.1, 0.3), 2):.2f}. It comes from this: {told[drawn]} For what does the interval "
        "speak?",
        PARTS[drawn],
        "An interval covers what was drawn again, and nothing else.",
        tuple(Wrong(text, why[part]) for part, text in PARTS.items() if part != drawn),
    )


@asks("search-evaluation-gap", 3, "medium")
def seeds_to_tell(rng: np.random.Generator) -> Drawn:
    """How many seeds does it take to tell two architectures apart?"""
    difference, noise = round(rng.choice([0.2, 0.3, 0.4, 0.6, 0.8]), 1), round(rng.uniform(0.45, 0.95), 2)
    count = stats.seeds_needed(difference, noise)
    rule = 16 * (noise / difference) ** 2
    return Drawn(
        f"Trainings of one architecture differ between seeds with a standard deviation of {noise:.2f} points. You "
        "want to "
        f"find a true difference of {difference:.1f} points between two architectures. The test is a t-test at the "
        "level "
        "of 5 %, and its power has to be 0.8. How many seeds of each does it take? The rule of thumb is near enough.",
        count,
        "The rule of thumb is n ≈ 16 σ² / δ². The exact answer differs by a seed or so.",
        (
            Wrong(round(rule / 2), "Both means are noisy. This counts the noise of one of them only."),
            Wrong(
                round(4 * noise / difference), "The means get sure with the root of n. So the ratio has to be squared."
            ),
            Wrong(round(rule / 4), "So many seeds make the noise of each mean half as large as the difference."),
            Wrong(round(4 * rule), "The difference was halved. Then it takes four times as many seeds."),
        ),
        tolerance=max(1.5, 0.08 * count),
        unit=" seeds",
    )


@asks("one-network-for-all", 1, "medium")
def weights_in_common(rng: np.random.Generator) -> Drawn:
    """How many weights of a layer do two children share?"""
    first, second = (int(one) for one in rng.choice([3, 5, 7], 2, replace=False))
    (out_a, out_b), (in_a, in_b) = (rng.choice([8, 12, 16, 24, 32], 2, replace=False).tolist() for _ in range(2))
    largest = np.zeros((2, 32, 32, 7, 7), bool)
    for child, (kernel, out, into) in enumerate(((first, out_a, in_a), (second, out_b, in_b))):
        edge = (7 - kernel) // 2
        largest[child, :out, :into, edge : 7 - edge, edge : 7 - edge] = True
    a, b = (int(one.sum()) for one in largest)
    return Drawn(
        "A layer of an elastic network has 32 inputs, 32 outputs and a kernel of 7×7. A child takes the first channels "
        f"and the middle of the kernel. Child A has {in_a} inputs, {out_a} outputs and a kernel of {first}×{first}. "
        "Child "
        f"B has {in_b} inputs, {out_b} outputs and a kernel of {second}×{second}. How many weights of this layer do "
        "both "
        "use?",
        int(largest.all(0).sum()),
        "The smaller number counts in each direction: inputs, outputs, and both sides of the kernel.",
        (
            Wrong(
                min(a, b), "This is all that the smaller child has. The other one may lack some of it in one direction."
            ),
            Wrong(int(largest.any(0).sum()), "This counts what at least one of the two uses."),
            Wrong(
                min(in_a, in_b) * min(out_a, out_b) * max(first, second) ** 2,
                "The larger kernel was taken. Only its middle is shared.",
            ),
            Wrong(
                min(in_a, in_b) * min(out_a, out_b) * min(first, second),
                "A kernel has two sides, so its size has to be squared.",
            ),
        ),
    )


@asks("one-network-for-all", 2, "hard")
def within_one_budget(rng: np.random.Generator) -> Drawn:
    """Kendall's τ among children of equal cost, and over all of them."""
    costs = np.repeat([100, 300], 4)
    truth = np.round(np.repeat([76, 83], 4) + rng.choice(np.arange(-15, 16), 8, replace=False) / 10, 1)
    said = np.round(truth + rng.normal(0, 1.2, 8) - 2, 1)
    value, over_all = stats.tau(said, truth, costs), stats.tau(said, truth)
    groups = [stats.tau(said[costs == one], truth[costs == one]) for one in (100, 300)]
    fine = len(set(said)) == 8 and value < over_all
    lines = [
        f"{n}: cost {c}, inherited {s:.1f} %, alone {t:.1f} %"
        for n, c, s, t in zip("ABCDEFGH", costs, said, truth, strict=True)
    ]
    return Drawn(
        f"Eight children of a supernet have two costs:{listed(lines)}A search has to choose among children of equal "
        "cost. What is Kendall's τ of the inherited accuracy, counted over pairs of equal cost only? Give two "
        "decimals.",
        value if fine else float("nan"),
        "There are six pairs of each cost. τ is the share in the right order less the share in the wrong order.",
        (
            Wrong(over_all, "This τ is over all pairs. Most of it only tells the dear children from the cheap ones."),
            Wrong((value + 1) / 2, "This is the share of pairs in the right order. τ is twice this share, less 1."),
            Wrong(max(groups), "This is τ for one of the two costs. Both count."),
            Wrong(
                float((said - truth).mean()), "This is the level: how far inherited accuracies are from those alone."
            ),
        ),
        tolerance=0.006,
    )


@asks("one-network-for-all", 3, "easy")
def times_cheaper(rng: np.random.Generator) -> Drawn:
    """How many times cheaper is one network for many devices?"""
    once, each, rival = int(rng.integers(6, 20)) * 100, int(rng.integers(2, 9)) * 5, int(rng.integers(10, 31)) * 10
    devices = int(rng.integers(20, 101))
    shared, apart = cost.scenarios(devices, each=each, once=once), cost.scenarios(devices, each=rival)
    return Drawn(
        f"One network for all devices is trained once for {once:,} GPU-hours, and then takes {each} GPU-hours for each "
        f"device. Another method takes {rival} GPU-hours for each device. For {devices} devices: how many times as "
        "much "
        "does the other method cost? Give two decimals.",
        apart / shared,
        "One adds the single training to the share of all devices, and divides the two totals.",
        (
            Wrong(
                rival / each, "The single training was forgotten. It counts in full, however many devices there are."
            ),
            Wrong(apart / once, "What each device takes on the one network was forgotten."),
            Wrong(rival / (once + each), "This is for a single device. For one, sharing does not pay."),
            Wrong(shared / apart, "The ratio is upside down."),
        ),
        tolerance=0.011,
        unit="×",
    )


QUESTIONS: tuple[Question, ...] = (
    the_same_price,
    what_an_interval_covers,
    seeds_to_tell,
    weights_in_common,
    within_one_budget,
    times_cheaper,
)
