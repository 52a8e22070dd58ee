"""The functions and their layer, built for this machine; the same sources are built once."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import cloud, sam

_SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "local/build.py")
_BUILDS = Path(".local/build").absolute()
_SECONDS_KEPT = 3600.0


def build(log: Path) -> Path:
    """Returns the built template."""
    with _one_at_a_time():
        folder = _BUILDS / _fingerprint()
        if not (folder / "complete").exists():
            _drop_old_builds()
            for_this_machine = os.environ | {"RINGBOOK_LAYER_PYTHON": str(cloud.PYTHON)}
            sam.run("build", "--build-dir", str(folder), log=log, env=for_this_machine)
            _mount_layer(folder)
            (folder / "complete").touch()
    return folder / "template.yaml"


def _mount_layer(folder: Path) -> None:
    """Leaves a reference in place of the layer's files.

    Lambda mounts a layer; MiniStack unpacks it, and Python compiles it, for every worker that it
    starts, which is seconds of work. A path file of Python's site module stands for the mount.
    """
    layer, mounted = folder / "CallsLayer/python", folder / "mounted-layer"
    layer.rename(mounted)
    subprocess.run([cloud.PYTHON, "-m", "compileall", "-q", "-j", "0", mounted], check=True)
    site_packages = layer / "lib/python/site-packages"
    site_packages.mkdir(parents=True)
    (site_packages / "mounted.pth").write_text(
        f"import sys; sys.path.insert(0, {str(mounted)!r})\n"
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    _BUILDS.mkdir(parents=True, exist_ok=True)
    with (_BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint() -> str:
    """Names what is built from, and the interpreter that it is built for."""
    digest = hashlib.sha256(os.fsencode(cloud.PYTHON.resolve()))
    for source in map(Path, _SOURCES):
        files = [source] if source.is_file() else sorted(source.rglob("*"))
        for file in (f for f in files if f.is_file() and "__pycache__" not in f.parts):
            digest.update(os.fsencode(file) + file.read_bytes())
    return digest.hexdigest()[:16]


def _drop_old_builds() -> None:
    """Younger ones may be in use by a cloud of this clone."""
    for folder in _BUILDS.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > _SECONDS_KEPT:
            shutil.rmtree(folder)
