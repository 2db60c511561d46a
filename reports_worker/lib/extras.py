"""How to install an extra of this package where it is missing."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def write_install_command(extra: str, *, root: Path = _ROOT) -> str:
    """Write the command that installs an extra for this Python, from the checkout if the package runs from one."""
    package = str(root) if (root / "setup.cfg").is_file() else "background-reports"
    return shlex.join([sys.executable, "-m", "pip", "install", f"{package}[{extra}]"])
