"""Generates gen/ from protos/. With --check, fails if what is committed differs.

buf cannot run grpc_python, which is built into grpc_tools.protoc and not a plugin. So Python comes
from here; lint, format and breaking changes are buf's.
"""

import filecmp
import os
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "gen"


def generate(target: Path) -> None:
    # The plugins of mypy-protobuf lie beside the interpreter, which need not be on the PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    sources = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    code = protoc.main(
        [
            "protoc",
            f"-I{PROTOS}",
            f"-I{well_known}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *sources,
        ]
    )
    if code != 0:
        sys.exit(code)
    root = target / "hemline"
    (root / "py.typed").touch()
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        (folder / "__init__.py").touch()


def differences(comparison: filecmp.dircmp[str]) -> list[str]:
    found = [*comparison.left_only, *comparison.right_only, *comparison.diff_files]
    for inner in comparison.subdirs.values():
        found += differences(inner)
    return [name for name in found if not name.startswith("__pycache__")]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        target = GENERATED / "hemline"
        if "--check" in sys.argv[1:]:
            stale = differences(filecmp.dircmp(Path(scratch) / "hemline", target))
            if stale:
                sys.exit(f"gen/ is out of date, run `make protos`: {', '.join(sorted(stale))}")
            return
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(scratch) / "hemline", target)


if __name__ == "__main__":
    main()
