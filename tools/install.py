"""Install into the environment of the Python that runs this, which is .venv. The Makefile runs it, in this folder.

    .venv/bin/python tools/install.py torch EXTRAS OPTIONS REQUIREMENTS    torch, whose wheels are large
    .venv/bin/python tools/install.py project EXTRAS OPTIONS               then nasviz with its extras, such as lab,docs

torch takes long to unpack, on one core. Meanwhile a second pip, on another, fetches the wheels of what nasviz needs
beside it, and unpacks those that the first pip does not install too. The second step unpacks the few that are left.
Where something of that failed, pip installs as if it had not been tried.

uv, which is not needed, does all this in a few seconds, from what it has unpacked before. It does not read what pip has
been told, such as an index of one's own. So it installs where it is on the PATH and pip has been told nothing of that
kind, and where uv fails pip tries. ``make lab UV=`` keeps to pip; UV=/path/to/uv names another.

Nothing is compiled to bytecode: that takes half a minute, for thousands of modules of which a lab imports a few. Python
compiles those when it first imports them.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
INSTALL = [*PIP, "install", "--no-compile"]
UNPACK = [*INSTALL, "--quiet", "--no-deps", "--no-index", "--no-warn-conflicts"]
WHEELS = Path(sys.prefix) / "wheels"
COMPLETE = WHEELS / "complete"  # holds the extras for which all wheels are there
ENDED = WHEELS / "torch-is-there"  # the first pip has ended
LOG = Path(sys.prefix) / "torch.log"  # what the first pip does
SECOND = Path(sys.prefix) / "second.log"
APART = ("torch", "torchvision")  # they come from an index of their own
# What pip may have been told and uv need not know: all else, from an index to a certificate, decides what is installed.
HARMLESS = {"cache-dir", "default-timeout", "disable-pip-version-check", "no-color", "no-compile", "no-input",
            "no-warn-script-location", "progress-bar", "quiet", "root-user-action", "timeout", "verbose"}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ uv
def uv_for(environment, told):
    """The path of uv, or None; and why it does not install though one might expect it, or nothing.

    ``told()`` returns what ``pip config list`` says. It is asked only where uv is there.
    """
    name = environment.get("UV", "uv").strip()
    found = shutil.which(name, path=environment.get("PATH")) if name else None
    if not found:
        return None, f"UV={name} was not found: pip installs." if name not in ("", "uv") else ""
    if special := sorted(keys(told()) - HARMLESS):
        return None, f"pip installs, not uv, which does not read what pip has been told: {', '.join(special)}."
    return found, ""


def keys(listed):
    """The options that ``pip config list`` names: the line ``global.index-url='https://…'`` names "index-url"."""
    return {line.partition("=")[0].rpartition(".")[2] for line in listed.splitlines() if "=" in line}


def told_to_pip():
    """What pip reads on this machine, from files and variables."""
    return subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=True).stdout


def by_uv(*arguments):
    """Whether uv is to install, and did."""
    uv, why = uv_for(os.environ, told_to_pip)
    if why:
        print(why, file=sys.stderr)
    if not uv:
        return False
    if not subprocess.run([uv, "pip", "install", "--python", sys.executable, *arguments]).returncode:
        return True
    print("uv could not install this (see above): pip tries.", file=sys.stderr)
    return False


# ------------------------------------------------------------------------------------------------- fetched ahead by pip
def needed(project, extras):
    """What a project requires with its extras, but for `APART`. Extras that name the project's own are followed.

    ``project`` is that table of pyproject.toml. Raises `KeyError` for an extra that it does not have.
    """
    found, todo, own = list(project["dependencies"]), list(extras), re.compile(rf"{project['name']}\[(.*)\]")
    for extra in todo:  # grows
        for line in project["optional-dependencies"][extra]:
            if match := own.fullmatch(line):
                todo += [one for one in match[1].split(",") if one not in todo]
            else:
                found.append(line)
    return [line for line in dict.fromkeys(found) if re.match(r"[\w.-]+", line)[0] not in APART]


def installed_by(log):
    """The packages that a pip with this log installs, or None as long as it has not said so."""
    line = re.search(r" Installing collected packages: (.+)", log)
    return {canonical(name) for name in line[1].split(", ")} if line else None


def canonical(name):
    """A package's name as all its spellings have it in common (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def apart_from_torch():
    """The wheels that the first pip does not install: no file may be written by both. Waits until it has chosen."""
    while True:
        ended = ENDED.exists()
        taken = installed_by(LOG.read_text("utf-8", errors="replace")) if LOG.exists() else None
        if taken is not None or ended:
            return [one for one in WHEELS.glob("*.whl") if canonical(one.name.partition("-")[0]) not in (taken or ())]
        time.sleep(0.2)


def fetch(extras):
    """The second pip: bring wheels, unpack most, put nasviz itself in its place. 0, or the status of what failed."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    wanted = needed(project, extras.split(","))
    for step in (
        lambda: [*PIP, "download", "--quiet", "--only-binary", ":all:", "--dest", WHEELS, *wanted],
        lambda: [*UNPACK, *apart_from_torch()],
        lambda: [*INSTALL, "--quiet", "--no-deps", "--no-warn-conflicts", "--editable", "."],
    ):
        if status := subprocess.run(step()).returncode:
            return status
    COMPLETE.write_text(extras, encoding="utf-8")
    return 0


def unpack(extras):
    """Whether all that is needed has been fetched ahead, could be installed, and fits together."""
    if not COMPLETE.exists() or COMPLETE.read_text("utf-8") != extras:
        return False
    left = [*UNPACK, *WHEELS.glob("*.whl")]  # pip leaves alone what is installed
    return not any(subprocess.run(step, stdout=subprocess.DEVNULL).returncode for step in (left, [*PIP, "check"]))


# ------------------------------------------------------------------------------------------------------------ two steps
def install_torch(extras, *arguments):
    """Install torch and, where uv does not, most of the rest at the same time. The exit status of the installation."""
    if by_uv(*arguments):
        return 0
    WHEELS.mkdir(exist_ok=True)
    for old in (LOG, COMPLETE, ENDED):
        old.unlink(missing_ok=True)
    with open(SECOND, "w") as log:  # what fails there is tried again, and then told
        fetching = [sys.executable, __file__, "fetch", extras]
        second = subprocess.Popen(fetching, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    options = ["--no-warn-conflicts", "--log", LOG]
    if "--quiet" in arguments:  # with a log, pip shows its progress all the same
        options += ["--progress-bar", "off"]
    try:
        status = subprocess.run([*INSTALL, *options, *arguments]).returncode
        if not status:
            ENDED.touch()
            if second.poll() is None:
                print("Fetching the other packages ...", flush=True)
            second.wait()
    finally:
        if second.poll() is None:
            os.killpg(second.pid, signal.SIGTERM)  # and the pip that it started
            second.wait()
    return status


def install_project(extras, *options):
    """Install nasviz with its extras. The exit status."""
    done = unpack(extras) or by_uv(*options, "--editable", f".[{extras}]")
    status = 0 if done else subprocess.run([*INSTALL, *options, "--editable", f".[{extras}]"]).returncode
    if not status:
        shutil.rmtree(WHEELS, ignore_errors=True)
        LOG.unlink(missing_ok=True)
    return status


def main(what, *arguments):
    return {"torch": install_torch, "project": install_project, "fetch": fetch}[what](*arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
