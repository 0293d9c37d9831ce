"""Resolve nasviz for systems and Pythons that are not at hand:  python tools/resolve.py [--lowest]

For each pair it asks uv (``pip install uv``; a network is needed) whether there are wheels for everything, and prints a
table in Markdown: the versions of what matters most, or why there are none. ``--lowest`` takes the lowest versions that
pyproject.toml allows instead of the newest. docs/where-classes-run.md holds the last outcome.
"""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Windows, x86": "x86_64-pc-windows-msvc",
    "macOS 13, Apple chip": "aarch64-apple-darwin",
    "Linux, x86": "x86_64-manylinux_2_28",
    "Linux, Arm": "aarch64-manylinux_2_28",
    "macOS 13, Intel": "x86_64-apple-darwin",
    "Windows, Arm": "aarch64-pc-windows-msvc",
    "Linux with musl": "x86_64-unknown-linux-musl",
}
REFUSED = ("macOS 13, Intel", "Windows, Arm", "Linux with musl")  # as README.md says
SHOWN = ("torch", "numpy", "pygraphviz", "jupyterlab")


def resolved(system: str, python: str, extra: str, resolution: str) -> tuple[bool, str]:
    """Whether there are wheels for all of it, and the versions of `SHOWN`, or the reason."""
    command = [sys.executable, "-m", "uv", "pip", "compile", ROOT / "pyproject.toml", *extra.split(), "--quiet",
               "--no-header", "--no-annotate", "--only-binary", ":all:", "--resolution", resolution,
               "--python-platform", SYSTEMS[system], "--python-version", python]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        missing = re.search(r"(\S+?)[<>=]\S* has no (?:usable )?wheels", ran.stderr)
        return False, f"no wheel of {missing[1]}" if missing else ran.stderr.strip()
    found = dict(line.split("==", 1) for line in ran.stdout.splitlines() if "==" in line)
    return True, ", ".join(f"{name} {found[name].split()[0]}" for name in SHOWN if name in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lowest", action="store_true", help="the lowest versions that are allowed")
    options = parser.parse_args()
    resolution = "lowest-direct" if options.lowest else "highest"
    print(f"{date.today()}, {'lowest' if options.lowest else 'newest'} versions\n")
    print("| system | Python | core | with `lab` |\n| --- | --- | --- | --- |")
    wrong = []
    pairs = list(product(SYSTEMS, PYTHONS))
    with ThreadPoolExecutor(2) as pool:
        cores = pool.map(lambda pair: resolved(*pair, "", resolution), pairs)
        labs = pool.map(lambda pair: resolved(*pair, "--extra lab", resolution), pairs)
        for (system, python), core, lab in zip(pairs, cores, labs, strict=True):
            print(f"| {system} | {python} | {core[1]} | {lab[1]} |", flush=True)
            if (core[0], lab[0]) != (expected := (system not in REFUSED,) * 2):
                wrong.append(f"{system}, Python {python}: resolves {core[0]}, {lab[0]}; README.md says {expected[0]}")
    print(*wrong, sep="\n", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
