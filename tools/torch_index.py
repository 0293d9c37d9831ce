"""Say from which package index pip shall take torch on this machine. The Makefile runs it before anything is installed.

On Linux the wheel of the ordinary index carries CUDA: 2.9 GB to download, 5.5 GB on disk, and of no use without an
NVIDIA card. Where no driver is found, PyTorch's own index of CPU wheels is asked first. It is named for the torch step
alone: as an extra index for everything, it costs seconds a package wherever it cannot be reached.

Prints pip's options (perhaps none) to standard output, and the reason to standard error.
"""

import os
import platform
import shutil
import sys
import urllib.request
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 3.0  # seconds


def choose(environment, system, machine, has_driver, reachable):
    """The index to take torch from (None: the ordinary one), and why.

    ``has_driver`` and ``reachable`` are asked only where the answer matters. Raises `LookupError`, with what to do,
    where no wheel of torch exists.
    """
    if asked := environment.get("TORCH_INDEX", "").strip():
        return asked, "as TORCH_INDEX says"
    if system == "Darwin" and machine == "x86_64":
        raise LookupError(
            "PyTorch makes no wheels for Intel Macs since version 2.2, and nasviz needs 2.11.\n"
            "On a Mac with an Apple chip this Python runs under Rosetta: install one for arm64 and start again.\n"
            "On an Intel Mac use another machine, or a hosted notebook such as Binder (see README.md)."
        )
    if system != "Linux":
        return None, f"the ordinary index: on {system} its torch is small"
    if has_driver():
        return None, "the ordinary index: an NVIDIA driver was found, and its torch can use it"
    if reachable(f"{CPU_INDEX}/torch/"):
        return CPU_INDEX, "PyTorch's own index of CPU wheels: no NVIDIA driver was found"
    return None, (
        f"the ordinary index: no NVIDIA driver was found, but PyTorch's CPU wheels did not answer within {PATIENCE:g} s"
        f" ({CPU_INDEX}). This torch takes up to 2.9 GB to download and 5.5 GB on disk"
    )


def has_driver():
    """Whether an NVIDIA driver is installed here."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def reachable(address):
    """Whether a web page answers in time."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as page:
            return page.status == 200
    except (OSError, ValueError):  # no network, a refusal, a time-out
        return False


def main():
    try:
        index, why = choose(os.environ, platform.system(), platform.machine(), has_driver, reachable)
    except LookupError as nothing:
        print(nothing, file=sys.stderr)
        return 1
    print(f"torch comes from {index}, {why}." if index else f"torch comes from {why}.", file=sys.stderr)
    if index:
        print(f"--index-url {index}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
