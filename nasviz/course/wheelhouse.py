"""A folder of wheels for a class without a network: made once, handed round on a stick, installed by one command.

The folder is for one system and one version of Python, which need not be those of the machine that makes it.
``uv`` chooses the versions, since it reads each package's conditions as that system would; ``pip`` fetches them, each
once and whole. What has been fetched stays, so that a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .. import __version__, paths
from . import install_offline

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ORDINARY = "pypi"
MANIFEST, LOCK, SUMS, SCRIPT, TEXT = (
    install_offline.MANIFEST,
    "requirements.txt",
    "SHA256SUMS",
    "install.py",
    "INSTALL.txt",
)
FEW = 6  # wheels that one call of pip brings: what an interruption may cost
OFFLINE = ("dns error", "failed to fetch", "error sending request", "connection", "name resolution", "timed out")


def _manylinux(machine: str) -> tuple[str, ...]:
    """The tags of wheels that Linux with glibc 2.28 takes: for another system, pip wants each by name."""
    return (*(f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)), f"manylinux2014_{machine}",
            f"manylinux2010_{machine}", f"manylinux1_{machine}", f"linux_{machine}")  # fmt: skip


@dataclass(frozen=True)
class System:
    """A kind of computer: what uv calls it, the tags of wheels that it takes, and where its small torch is."""

    uv: str
    tags: tuple[str, ...]
    torch: str = ORDINARY


SYSTEMS: Mapping[str, System] = {
    "windows": System("x86_64-pc-windows-msvc", ("win_amd64",)),
    "macos": System("aarch64-apple-darwin", ("macosx_13_0_arm64",)),
    "linux": System("x86_64-manylinux_2_28", _manylinux("x86_64"), CPU_INDEX),
    "linux-arm": System("aarch64-manylinux_2_28", _manylinux("aarch64"), CPU_INDEX),
}


@dataclass(frozen=True)
class Wheelhouse:
    """What a wheelhouse is for.

    Attributes
    ----------
    out : Path
        Its folder.
    system : str
        One of `SYSTEMS`.
    python : str
        Such as "3.12".
    extras : tuple of str
        Of nasviz, such as ``("lab",)``.
    more : tuple of str
        Further requirements.
    """

    out: Path
    system: str
    python: str
    extras: tuple[str, ...] = ("lab",)
    more: tuple[str, ...] = ()

    @property
    def wheels(self) -> Path:
        return self.out / "wheels"

    @property
    def asked(self) -> str:
        return f"nasviz[{','.join(self.extras)}]"

    def manifest(self) -> dict:
        """What ``install.py`` must know, and what tells this wheelhouse from another."""
        return {"nasviz": __version__, "system": self.system, "python": self.python, "asks": self.asked,
                "more": list(self.more)}  # fmt: skip


def here() -> str:
    """The name of this machine's system. Raises `ValueError` where nasviz cannot be installed from wheels."""
    return install_offline.system(platform.system(), platform.machine())


# --------------------------------------------------------------------------------------------------------- the tools
def run(command: Sequence[str | Path], text: str = "") -> str:
    """Run a command and return what it prints. Raises `RuntimeError` with its last words, and says if no network is."""
    ran = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if ran.returncode:
        raise RuntimeError(complaint(ran.stderr or ran.stdout))
    return ran.stdout


def complaint(said: str) -> str:
    """What to tell of a command that failed: its last lines, and what to do if the network is at fault."""
    lines = [line for line in said.strip().splitlines() if line.strip() and not line.startswith("WARNING")]
    last = "\n".join(lines[-6:])
    if "(constraint)" in said:
        return f"{last}\npip has constraints (pip config list). Begin a new folder, and tell uv: UV_CONSTRAINT=FILE"
    if any(word in said.lower() for word in OFFLINE):
        return (
            f"{last}\nA package index did not answer. Making a wheelhouse takes a network; installing from it does not."
            "\nRun the same command again where there is one: what has been fetched stays."
        )
    return last


def uv() -> list[str]:
    """The command ``uv``. Raises `RuntimeError` if it is not installed."""
    if find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    if found := shutil.which("uv"):
        return [found]
    raise RuntimeError("uv chooses the versions for another system, and is not installed here: pip install uv")


def pip() -> list[str]:
    """The command ``pip``. Raises `RuntimeError` if this Python has none."""
    if not find_spec("pip"):
        raise RuntimeError("pip fetches the wheels, and this Python has none: python -m ensurepip")
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def resolved(house: Wheelhouse, wanted: Iterable[str], *options: str | Path) -> list[str]:
    """The requirements that ``wanted`` come to on the wheelhouse's system, each with its version, from wheels only."""
    command = [*uv(), "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:",
               "--python-platform", SYSTEMS[house.system].uv, "--python-version", house.python, *options]  # fmt: skip
    return [line.strip() for line in run(command, "\n".join(wanted)).splitlines() if line.strip()]


def fetch(house: Wheelhouse, wanted: Sequence[str], *options: str) -> None:
    """Bring wheels into the wheelhouse, each whole or not at all."""
    part = house.out / "part"
    tags = [word for tag in SYSTEMS[house.system].tags for word in ("--platform", tag)]
    run([*pip(), "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", part, *tags,
         "--python-version", house.python, "--implementation", "cp", "--abi", f"cp{house.python.replace('.', '')}",
         *options, *wanted])  # fmt: skip
    for wheel in part.glob("*.whl"):
        os.replace(wheel, house.wheels / wheel.name)


# --------------------------------------------------------------------------------------------------------- the wheels
def there(folder: Path) -> dict[str, tuple[str, Path]]:
    """Version and file of each wheel in a folder, by the package's name; of several versions, the newest."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import Version

    found: dict[str, tuple[str, Path]] = {}
    for path in folder.glob("*.whl"):
        try:
            name, version, *_ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if name not in found or Version(found[name][0]) < version:
            found[name] = str(version), path
    return found


def suits(path: Path, house: Wheelhouse) -> bool:
    """Whether a wheel can be installed on the wheelhouse's system."""
    from packaging.tags import compatible_tags, cpython_tags, mac_platforms
    from packaging.utils import parse_wheel_filename

    major, minor = map(int, house.python.split("."))
    tags: Iterable[str] = SYSTEMS[house.system].tags
    if house.system == "macos":
        tags = list(mac_platforms((13, 0), "arm64"))
    known = {
        *cpython_tags((major, minor), [f"cp{major}{minor}"], tags),
        *compatible_tags((major, minor), f"cp{major}{minor}", tags),
    }
    return bool(parse_wheel_filename(path.name)[3] & known)


def torch_pair(house: Wheelhouse, source: str) -> list[str]:
    """Bring torch and torchvision, and return them with their versions: they must stay the pair that they are.

    Parameters
    ----------
    house : Wheelhouse
    source : str
        An index (``https://…``), a folder of wheels, or "pypi": then nothing is brought, and nothing returned.
    """
    if source == ORDINARY:
        return []
    pair = [line for line in requirements() if line.startswith(("torch", "torchvision"))]
    if "://" in source:
        have = there(house.wheels)
        if not {"torch", "torchvision"} <= set(have):
            found = resolved(house, pair, "--index", source)
            fetch(
                house, [line for line in found if line.startswith(("torch==", "torchvision=="))], "--index-url", source
            )
    else:
        folder = Path(source).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"{source} is neither an address (https://…) nor a folder")
        for name in ("torch", "torchvision"):
            fitting = [path for path in folder.glob(f"{name}-*.whl") if suits(path, house)]
            if not fitting:
                raise FileNotFoundError(
                    f"no wheel of {name} in {folder} is for {house.system} with Python {house.python}"
                )
            for path in fitting:
                copy(path, house.wheels)
    have = there(house.wheels)
    return [f"{name}=={have[name][0]}" for name in ("torch", "torchvision")]


def copy(path: Path, folder: Path) -> None:
    """Copy a file into a folder, whole or not at all."""
    if not (folder / path.name).exists():
        shutil.copyfile(path, folder / f"{path.name}.part")
        os.replace(folder / f"{path.name}.part", folder / path.name)


def requirements() -> list[str]:
    """What nasviz's core requires, as `pyproject.toml` or the installed package says."""
    from importlib import metadata

    if checkout():
        return tomllib.loads((paths.PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return [line for line in metadata.requires("nasviz") or [] if "extra ==" not in line]


def checkout() -> bool:
    """Whether nasviz runs from a checkout, of which a wheel can be made."""
    return (paths.PACKAGE.parent / "pyproject.toml").is_file()


def own_wheel(house: Wheelhouse, given: Path | None) -> Path:
    """Bring nasviz's own wheel: the one that is given, else one that is made of the checkout.

    Raises `FileNotFoundError` if there is neither, `ValueError` if what is given is of another version.
    """
    if given is not None:
        found = there(given.parent)
        if found.get("nasviz", ("", None))[0] != __version__ or not given.name.startswith("nasviz-"):
            raise ValueError(f"{given} is no wheel of nasviz {__version__}")
        copy(given, house.wheels)
    elif "nasviz" not in there(house.wheels):
        if not checkout():
            raise FileNotFoundError("nasviz is installed without its checkout: name its wheel with --wheel")
        part = house.out / "part"
        run([*pip(), "wheel", "--quiet", "--no-deps", "--wheel-dir", part, paths.PACKAGE.parent])
        for path in part.glob("nasviz-*.whl"):
            os.replace(path, house.wheels / path.name)
    return there(house.wheels)["nasviz"][1]


# ---------------------------------------------------------------------------------------------------- the wheelhouse
def begin(house: Wheelhouse) -> None:
    """Make the folder, or go on with one that is for the same. Raises `FileExistsError` if it holds something else."""
    if house.system not in SYSTEMS:
        raise ValueError(f"{house.system} is none of {', '.join(SYSTEMS)}")
    memory = house.out / MANIFEST
    if memory.is_file():
        if json.loads(memory.read_text("utf-8")) != house.manifest():
            raise FileExistsError(f"{house.out} is a wheelhouse for something else ({memory}): choose another folder")
    elif house.out.exists() and any(house.out.iterdir()):
        raise FileExistsError(f"{house.out} exists and is not empty: choose an empty folder")
    house.wheels.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(house.out / "part", ignore_errors=True)
    (house.out / "part").mkdir()
    memory.write_text(json.dumps(house.manifest(), indent=1) + "\n", encoding="utf-8")


def make(house: Wheelhouse, source: str, wheel: Path | None = None) -> Iterator[str]:
    """Make a wheelhouse; yield a sentence for each thing that is done.

    Raises `RuntimeError` if a tool fails, `OSError` and `ValueError` if what is asked cannot be.
    """
    uv(), pip()
    begin(house)
    own = own_wheel(house, wheel)
    yield f"nasviz {__version__}"
    lock = house.out / LOCK
    pins = torch_pair(house, source)
    if not lock.exists():
        yield from pins
        wanted = [f"{house.asked} @ {own.absolute().as_uri()}", *house.more, *pins]
        found = resolved(house, wanted, "--find-links", house.wheels)
        lines = [line for line in found if not line.startswith("nasviz")]
        lock.write_text("\n".join([*lines, f"nasviz=={__version__}"]) + "\n", encoding="utf-8")
    have = {f"{name}=={version}" for name, (version, _) in there(house.wheels).items()}
    todo = [line for line in lock.read_text("utf-8").split() if line not in have]
    for start in range(0, len(todo), FEW):
        fetch(house, todo[start : start + FEW])
        yield from todo[start : start + FEW]
    (house.out / "part").rmdir()
    complete(house)
    size = finish(house)
    yield f"{house.out}: {len(list(house.wheels.iterdir()))} wheels, {size / 1e6:.0f} MB. What to do with it: {TEXT}"


def complete(house: Wheelhouse) -> None:
    """Resolve once more from the folder alone, as the system will. Raises `RuntimeError` if something is missing."""
    pinned = (house.out / LOCK).read_text("utf-8").split()
    resolved(house, [house.asked, *house.more, *pinned], "--no-index", "--find-links", house.wheels, "--offline")


def finish(house: Wheelhouse) -> int:
    """Write checksums, the script that installs, and what to do. Return the bytes of all wheels."""
    files = sorted(house.wheels.glob("*.whl"))
    sums = []
    for path in files:
        with path.open("rb") as opened:
            sums.append(f"{hashlib.file_digest(opened, 'sha256').hexdigest()}  wheels/{path.name}\n")
    (house.out / SUMS).write_text("".join(sums), encoding="utf-8")
    shutil.copyfile(install_offline.__file__, house.out / SCRIPT)
    (house.out / TEXT).write_text(instructions(house), encoding="utf-8")
    return sum(path.stat().st_size for path in files)


def instructions(house: Wheelhouse) -> str:
    """The text that goes with the wheels."""
    windows = house.system == "windows"
    python = f"py -{house.python}" if windows else f"python{house.python}"
    home = r"%USERPROFILE%\nasviz-class" if windows else "~/nasviz-class"
    title = install_offline.TITLES[house.system]
    lines = [
        f"nasviz {__version__}, for {title} with Python {house.python}. No network is needed.",
        "",
        f"1. Python {house.python} must be there. In a terminal, in this folder:   {python} --version",
        f"2. Install, in the same terminal:   {python} {SCRIPT}",
        f"   It needs some minutes, and makes the folder {home}: Python's packages in it, and the labs.",
        f"   Another folder:   {python} {SCRIPT} FOLDER",
        "3. Its last lines say how to open the labs.",
        "Nothing else on the computer is changed. To remove all, delete the folder.",
        "",
        f"{SUMS} holds a checksum of each wheel; {SCRIPT} compares them first. If it was interrupted, start it again.",
        f"By hand: {python} -m venv FOLDER, then with FOLDER's Python:",
        f"   python -m pip install --no-index --find-links wheels {house.asked}",
    ]
    if "test" in house.extras:
        lines += [
            "In a checkout, all tests without a network (the path of the wheels must hold no space):",
            "   PIP_NO_INDEX=1 PIP_FIND_LINKS=/path/to/wheels make check TORCH_INDEX=/path/to/wheels",
        ]
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------------------------------------- the command
def add_command(commands) -> None:
    """Add ``wheelhouse`` to a parser's subcommands."""
    said = "make a folder of wheels, to install on computers without a network"
    one = commands.add_parser("wheelhouse", help=said, description=f"{said[0].upper()}{said[1:]}. {__doc__}")
    one.set_defaults(do=do_wheelhouse)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    one.add_argument("out", type=Path, help="a folder: new, empty, or begun by the same command")
    one.add_argument("--platform", choices=SYSTEMS, help="the system of the class (default: this machine's)")
    one.add_argument("--python", default=version, help=f"its version of Python (default: {version})")
    said = (
        f"an index, a folder of wheels, or {ORDINARY} (default for Linux: {CPU_INDEX}, without CUDA; else {ORDINARY})"
    )
    one.add_argument("--torch-index", metavar="WHERE", help=f"where torch is: {said}")
    one.add_argument("--wheel", type=Path, help="nasviz's own wheel (default: made of the checkout)")
    one.add_argument("--with-tests", action="store_true", help="also what `make check` in a checkout needs")


def do_wheelhouse(options) -> int:
    """Make a wheelhouse and say how it goes; 1 if it could not be made."""
    try:
        system = options.platform or here()
        extras: tuple[str, ...] = ("lab",)
        more: tuple[str, ...] = ()
        if options.with_tests:
            build = tomllib.loads((paths.PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["build-system"]
            extras, more = ("lab", "test"), (*build["requires"], "editables")
        house = Wheelhouse(options.out, system, known_python(options.python), extras, more)
        for done in make(house, options.torch_index or SYSTEMS[system].torch, options.wheel):
            print(done, flush=True)
    except (OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def known_python(text: str) -> str:
    """Check a version of Python: "3.12". Raises `ValueError` if it is none that nasviz runs on."""
    major, _, minor = text.partition(".")
    if major != "3" or not minor.isdigit() or int(minor) < 11:
        raise ValueError(f"--python {text}: must be two numbers, 3.11 or newer, such as 3.12")
    return text
