"""Install nasviz from the wheels beside this file. No network is needed:  python install.py [FOLDER]

It compares the checksums, makes an environment in FOLDER (default: nasviz-class in your home), installs into it, puts
the labs beside it, and says how to open them. If it was interrupted, start it again.
"""

# This file is copied to the wheels and runs where nothing is installed: only the standard library, and syntax that an
# older Python reads, so that it can say which one is needed.
from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

MANIFEST = "wheelhouse.json"
TITLES = {
    "windows": "Windows (64 bit, Intel or AMD)",
    "macos": "macOS 13 or newer (Apple chip)",
    "linux": "Linux (64 bit, Intel or AMD)",
    "linux-arm": "Linux (64 bit, Arm)",
}


def system(name: str, machine: str) -> str:
    """The key in `TITLES` for ``platform.system()`` and ``platform.machine()``. Raises `ValueError` without one."""
    found = {
        ("Windows", "amd64"): "windows",
        ("Darwin", "arm64"): "macos",
        ("Linux", "x86_64"): "linux",
        ("Linux", "aarch64"): "linux-arm",
    }.get((name, machine.lower()))
    if found is None:
        raise ValueError(f"There are no wheels for {name} on {machine}. There are for {', '.join(TITLES.values())}.")
    return found


def fitting(manifest: dict, name: str, machine: str, version: tuple) -> None:
    """Raise `ValueError` if the wheels are not for this system and this Python."""
    mine = f"{version[0]}.{version[1]}"
    wanted = manifest["system"], manifest["python"]
    if (system(name, machine), mine) != wanted:
        start = f"py -{wanted[1]}" if wanted[0] == "windows" else f"python{wanted[1]}"
        raise ValueError(
            f"These wheels are for {TITLES[wanted[0]]} with Python {wanted[1]}. "
            f"This is Python {mine} on {name} {machine}.\nIf that Python is installed: {start} install.py"
        )


def damaged(folder: Path) -> list:
    """The wheels of a wheelhouse that are missing, or differ from their checksums, in the order of SHA256SUMS."""
    found = []
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        wanted, name = line.split(maxsplit=1)
        try:
            digest = hashlib.sha256()
            with open(folder / name, "rb") as opened:
                for block in iter(lambda: opened.read(1 << 20), b""):
                    digest.update(block)
            if digest.hexdigest() != wanted:
                found.append(name)
        except OSError:
            found.append(name)
    return found


def install(folder: Path, target: Path) -> None:
    """Make the environment ``target/venv``, install into it, and put the labs into ``target/labs``."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    fitting(manifest, platform.system(), platform.machine(), sys.version_info[:2])
    if bad := damaged(folder):
        raise ValueError(f"Missing or damaged: {', '.join(bad)}\nCopy the whole folder from its source again.")
    python = target / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    print(f"Installing into {target} ...", flush=True)
    steps: list = [] if python.exists() else [[sys.executable, "-m", "venv", target / "venv"]]
    # --isolated: what pip is told elsewhere on this computer, such as another index, must not matter here
    pip = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    steps.append([*pip, "--no-index", "--find-links", folder / "wheels", manifest["asks"], *manifest["more"]])
    steps.append([python, "-m", "nasviz", "labs", target / "labs"])
    for step in steps:
        subprocess.run([str(word) for word in step], check=True, stdout=subprocess.DEVNULL)
    print(f'Open the labs:           "{python}" -m jupyterlab "{target / "labs"}"')
    print(f'Check the installation:  "{python}" -m nasviz doctor')


def main(arguments: list) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 2 * (len(arguments) > 1)
    target = Path(arguments[0]) if arguments else Path.home() / "nasviz-class"
    try:
        install(Path(__file__).absolute().parent, target.absolute())
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
