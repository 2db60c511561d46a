"""The extras of this package: what a worker needs, and how to install one that is missing."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

# The packages of the extra `worker`.
WORKER_PACKAGES = ("duckdb", "psutil", "typst", "vl_convert", "xlsxwriter")

_ROOT = Path(__file__).parents[2]


def write_install_command(extra: str, *, root: Path = _ROOT) -> str:
    """Write the command that installs an extra for this Python, from the checkout if the package runs from one."""
    package = str(root) if (root / "setup.cfg").is_file() else "background-reports"
    return shlex.join([sys.executable, "-m", "pip", "install", f"{package}[{extra}]"])


def require_worker_packages(what: str = "A worker") -> None:
    """Exit with a sentence in an installation for the API or a client alone."""
    missing = [name for name in WORKER_PACKAGES if find_spec(name) is None]
    if missing:
        sys.exit(
            f"{what} needs packages that are not installed ({', '.join(missing)}): "
            f"{write_install_command('worker')}"
        )
