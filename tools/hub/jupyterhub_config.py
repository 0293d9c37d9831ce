"""JupyterHub for a class: one shared environment, a home for each student, one password for the class.

Students log in with a name of small letters and digits, and with the password in CLASS_PASSWORD. Who knows another's
name can open that one's home: where marks depend on it, put your university's authenticator here instead.

CLASS_PATH (3, 6 or 13) hands out only what a course of so many sessions works through. CLASS_ADMIN, a text of at least
32 characters, is the password of the account "teacher", who may see and stop the servers.
"""

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

HOMES = Path(os.environ.get("CLASS_HOMES", "/home"))
PATH = os.environ.get("CLASS_PATH", "")
LABS = "labs"
NAME = r"[a-z][a-z0-9]{0,30}"

password = os.environ.get("CLASS_PASSWORD", "")
if len(password) < 8:
    sys.exit("Set CLASS_PASSWORD to a text of at least 8 characters.")

c = get_config()  # noqa: F821
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = NAME
if admin := os.environ.get("CLASS_ADMIN"):
    c.SharedPasswordAuthenticator.admin_password = admin
    c.Authenticator.admin_users = {"teacher"}


def prepare(spawner):
    """Before a student's server starts: an account, a home, and the labs in it, of which nothing is overwritten."""
    name = spawner.user.name
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name} is no name of small letters and digits")
    home = HOMES / name
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        # A new container knows no account, but finds the homes of before: each is its owner's again.
        owner = ["--uid", str(home.stat().st_uid), "--no-create-home"] if home.exists() else ["--create-home"]
        subprocess.run(["useradd", *owner, "--home-dir", home, "--shell", "/bin/bash", name], check=True)
        account = pwd.getpwnam(name)
    give = [sys.executable, "-m", "nasviz", "labs", home / LABS, *(["--path", PATH] if PATH else [])]
    known = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    # as the student, whose files they are
    subprocess.run(give, check=True, cwd=home, env={"HOME": str(home), **known}, user=account.pw_uid,
                   group=account.pw_gid, extra_groups=[])  # fmt: skip


c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.pre_spawn_hook = prepare
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.notebook_dir = f"~/{LABS}"
c.Spawner.default_url = "/lab/tree/00-start-here.ipynb"
c.Spawner.start_timeout = 120
# The labs train in processes beside the kernel. On a shared machine one is enough, with one thread.
c.Spawner.environment = {"NASVIZ_WORKERS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
# A student who is away for half an hour costs no memory; notebooks are saved by then.
away = 1800
c.Spawner.args = [f"--MappingKernelManager.cull_idle_timeout={away}",
                  f"--ServerApp.shutdown_no_activity_timeout={away}"]  # fmt: skip
