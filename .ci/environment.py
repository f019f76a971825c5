"""Make .venv and install the checkout in it: by uv's pip where uv is on the PATH, by plain pip otherwise.

    PYTHON .ci/environment.py [EXTRA ...]
    PYTHON .ci/environment.py --gpu

pip alone decides which build of torch this machine gets (design/002-torch-builds.md). uv reads neither
pip's configuration nor its variables, so pip is asked first and uv is given exactly what pip named.
`--gpu` replaces onnxruntime by onnxruntime-gpu; later installations then keep it so.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have any Python
    sys.exit(
        "cloakbench needs Python 3.11 or later; {} is {}.{}. Type: make PYTHON=/path/to/python3.11".format(
            sys.executable, *sys.version_info[:2]
        )
    )

import tomllib

VENV = Path(".venv")
PYTHON = str(VENV / "bin" / "python")
GPU = VENV / ".gpu"
BUILDS = ("torch", "torchvision")
ONNXRUNTIME_GPU = "onnxruntime-gpu>=1.27"
TORCHATTACKS = "torchattacks>=3.5.1"
"""It pins a `requests` that is older than what others need, and works with today's."""


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"environment: {line}\n")


def run(*command: str) -> None:
    """Run a command; end with its status if it fails, for it has said why."""
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status)


def output(*command: str) -> str:
    """What a command prints; end with its status if it fails."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def make_venv(uv: str | None) -> None:
    """Make .venv, with pip in it, unless it is there."""
    if Path(PYTHON).exists():
        return
    if uv:
        # --seed: with the newest pip, which can resolve without downloading what it resolved
        run(uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(VENV))
    else:
        run(sys.executable, "-m", "venv", str(VENV))


def torch_that_pip_chooses() -> list[str]:
    """Requirements `name @ url` for the very files that pip would install for torch and torchvision."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    asked = [r for r in project["dependencies"] if r.split(">")[0] in BUILDS]
    ask = ("-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed", "--report", "-", *asked)
    report = json.loads(output(PYTHON, *ask))
    chosen = {item["metadata"]["name"]: item["download_info"]["url"] for item in report["install"]}
    return [f"{name} @ {chosen[name]}" for name in BUILDS]


def pip_settings() -> dict[str, str]:
    """What pip install is configured to do by its files and by PIP_* variables, which win."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in output(PYTHON, "-m", "pip", "config", "list").splitlines():
        section_and_key, _, value = line.partition("=")
        section, _, key = section_and_key.rpartition(".")
        if section in found:
            found[section][key] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_options(settings: dict[str, str], environment: dict[str, str]) -> list[str]:
    """The same settings in uv's words; a UV_* variable that the user has set is left to rule."""
    options: list[str] = []
    own = {name for name in environment if name.startswith("UV_")}
    if "index-url" in settings and not own & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}:
        options += ["--index-url", settings["index-url"]]
    if "extra-index-url" in settings and not own & {"UV_INDEX", "UV_EXTRA_INDEX_URL"}:
        for url in settings["extra-index-url"].split():
            options += ["--extra-index-url", url]
        # pip takes the best version of all indexes, uv by default the first index that knows the name
        options += [] if "UV_INDEX_STRATEGY" in own else ["--index-strategy", "unsafe-best-match"]
    if "UV_FIND_LINKS" not in own:
        for place in settings.get("find-links", "").split():
            # a folder that is not there is nothing to pip and an error to uv
            if "://" in place or Path(place).expanduser().exists():
                options += ["--find-links", str(Path(place).expanduser()) if "://" not in place else place]
    for host in settings.get("trusted-host", "").split():
        options += ["--allow-insecure-host", host]
    if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        options.append("--no-index")
    return options


def install(uv: str | None, extras: list[str]) -> str:
    """Install the checkout, editable, with these extras; the name of what did it."""
    target = f".[{','.join(extras)}]"
    if uv:
        torch = torch_that_pip_chooses()
        say("pip's choice: " + ", ".join(t.rpartition("/")[2] for t in torch))
        settings = pip_settings()
        environment = dict(os.environ)
        if "cert" in settings:
            environment.setdefault("SSL_CERT_FILE", settings["cert"])
        options = uv_options(settings, environment)
        command = [uv, "pip", "install", "--compile-bytecode", "--python", PYTHON, *options]
        command += ["-e", target, *torch]
        if subprocess.run(command, check=False, env=environment).returncode == 0:
            return "uv"
        say("uv could not; going on with pip")
    run(PYTHON, "-m", "pip", "install", "-e", target)
    return "pip"


def replace(old: str, new: str) -> None:
    """Put one build of a package in the place of another.

    Both own the same folder and the last one unpacked wins, so both leave before one comes.
    """
    run(PYTHON, "-m", "pip", "uninstall", "-qq", "--yes", old, new.split(">")[0])
    run(PYTHON, "-m", "pip", "install", "-qq", new)


def opencv_loads() -> bool:
    """Whether cv2, which insightface imports, finds its shared libraries: a server often has no libGL."""
    command = [PYTHON, "-c", "import cv2"]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def main(arguments: list[str]) -> None:
    """Do what the arguments ask, then say what is there."""
    if arguments == ["--gpu"]:
        GPU.touch()
        replace("onnxruntime", ONNXRUNTIME_GPU)
        return
    uv = shutil.which("uv")
    make_venv(uv)
    extras = arguments or ["dev"]
    tool = install(uv, extras)
    if "perf" in extras:
        run(PYTHON, "-m", "pip", "install", "-qq", "--no-deps", TORCHATTACKS)
    if GPU.exists():
        replace("onnxruntime", ONNXRUNTIME_GPU)
    if not opencv_loads():
        say("opencv-python finds no display libraries here; taking opencv-python-headless")
        replace("opencv-python", "opencv-python-headless")
    version = output(PYTHON, "-c", "from importlib.metadata import version; print(version('torch'))").strip()
    say(f"ready in {VENV}, by {tool}: torch {version}")


if __name__ == "__main__":
    main(sys.argv[1:])
