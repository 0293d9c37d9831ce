"""Say from which package index pip shall take torch on this machine. The Makefile runs it before anything is installed.

On Linux the wheel of the ordinary index carries CUDA: 3.0 GB to download, 5.6 GB on disk, and of no use without an
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
TO_FILL = f"To fill a folder: pip download --dest FOLDER --index-url {CPU_INDEX} 'torch>=2.9' torchvision"
COST = f"""\
Its torch carries CUDA, for NVIDIA's cards: 3,047,390,421 bytes to download, 5,614,529,247 bytes on disk
(version 2.14.1 for Linux on x86-64). The CPU wheels need about a tenth of that.
If that is too much, stop now (Ctrl-C) and say where CPU wheels are:
    make lab TORCH_INDEX=https://...    an index that can be reached
    make lab TORCH_INDEX=FOLDER         a folder of wheels, of torch and all that it needs
{TO_FILL}"""


def choose(environment, system, machine, has_driver, reachable):
    """Pip's options for torch (none: the ordinary index), and why.

    ``has_driver`` and ``reachable`` are asked only where the answer matters. Raises `LookupError`, with what to do,
    where no wheel of torch exists.
    """
    if asked := environment.get("TORCH_INDEX", "").strip():
        if "://" in asked:
            return f"--index-url {asked}", f"{asked}, as TORCH_INDEX says."
        return f"--no-index --find-links {wheels(asked)}", f"the folder {asked}, as TORCH_INDEX says."
    if system == "Darwin" and machine == "x86_64":
        raise LookupError(
            "PyTorch makes no wheels for Intel Macs since version 2.2, and nasviz needs a newer one.\n"
            "On a Mac with an Apple chip this Python runs under Rosetta: install one for arm64 and start again.\n"
            "On an Intel Mac use another machine, or a hosted notebook such as Binder (see README.md)."
        )
    if system != "Linux":
        return "", f"the ordinary index: on {system} its torch is small."
    if has_driver():
        return "", "the ordinary index: an NVIDIA driver was found, and its torch can use it."
    if reachable(f"{CPU_INDEX}/torch/"):
        return f"--index-url {CPU_INDEX}", f"{CPU_INDEX}, PyTorch's index of CPU wheels: no NVIDIA driver was found."
    return "", f"the ordinary index: PyTorch's CPU wheels did not answer within {PATIENCE:g} s ({CPU_INDEX}).\n{COST}"


def wheels(folder):
    """The address of a folder of wheels, for pip: in an address a space is written %20, so that it stays one word.

    Raises `LookupError` where there is no such folder, or no torch in it.
    """
    path = Path(folder).expanduser().absolute()
    if not path.is_dir():
        raise LookupError(f"TORCH_INDEX={folder} is neither an address (https://...) nor a folder: {path} is missing.")
    if missing := [name for name in ("torch", "torchvision") if not list(path.glob(f"{name}-*.whl"))]:
        raise LookupError(f"TORCH_INDEX={folder}: no wheel of {' and of '.join(missing)} in {path}. {TO_FILL}")
    return path.as_uri()


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
        options, why = choose(os.environ, platform.system(), platform.machine(), has_driver, reachable)
    except LookupError as nothing:
        print(nothing, file=sys.stderr)
        return 1
    print(f"torch comes from {why}", file=sys.stderr)
    print(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
