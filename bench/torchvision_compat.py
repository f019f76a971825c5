"""Lets torchvision be imported beside a torch that it was not built for.

PyPI's Linux wheels of torchvision are linked to CUDA. Beside a CPU build of torch their compiled
operators do not load, and importing torchvision (or facenet-pytorch, onnx2torch, which
import it) dies with "operator torchvision::nms does not exist". Everything in this package that imports
one of them calls `ensure` first.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from typing import Any

import torch

_lock = threading.Lock()
_libraries: list[Any] = []  # a torch.library.Library once made; the operators live as long as it does
_torch: Any = torch  # its library functions carry no types


def non_maximum_suppression(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Keep a box unless a better one, itself kept, overlaps it too much.

    Args:
        boxes: float [n, 4]: x0, y0, x1, y1.
        scores: float [n].
        iou_threshold: in [0, 1]; a box goes when its overlap with a kept one is strictly larger.

    Returns:
        int64 [kept]: positions in `boxes`, best first; equal scores keep their order.
    """
    order = scores.argsort(descending=True, stable=True)
    if len(order) == 0:
        return order
    x0, y0, x1, y1 = boxes[order].cpu().float().unbind(1)
    area = (x1 - x0) * (y1 - y0)
    alive = torch.ones(len(order), dtype=torch.bool)
    kept: list[int] = []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        rest = slice(i + 1, None)
        width = (torch.minimum(x1[i], x1[rest]) - torch.maximum(x0[i], x0[rest])).clamp_(min=0)
        height = (torch.minimum(y1[i], y1[rest]) - torch.maximum(y0[i], y0[rest])).clamp_(min=0)
        both = width * height
        alive[rest] &= ~(both / (area[i] + area[rest] - both) > iou_threshold)
    return order[torch.tensor(kept, device=order.device)]


def ensure() -> bool:
    """Make `import torchvision` work, whichever build of torch is installed.

    Safe to call often and from several threads.

    Returns:
        True where our stand-in for torchvision's `nms` is in place; False where torchvision loads by
        itself (nothing was touched), was already imported, or is not installed.
    """
    with _lock:
        if _libraries:
            return True
        if "torchvision" in sys.modules:
            return False
        spec = importlib.util.find_spec("torchvision")
        if spec is None or spec.origin is None or _operators_load(Path(spec.origin).parent):
            return False
        library = _torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl("nms", non_maximum_suppression, "CompositeExplicitAutograd")
        _libraries.append(library)
        importlib.import_module("torchvision")
        # torchvision refuses to call its own nms unless its compiled file loaded; ours needs no file
        boxes: Any = importlib.import_module("torchvision.ops.boxes")
        boxes._assert_has_ops = lambda: None
        return True


def _operators_load(package: Path) -> bool:
    """Whether torchvision's compiled operators load beside this torch; loading them twice is harmless."""
    if torch.version.cuda or torch.version.hip:
        return True  # a GPU build of torch: if the pair does not match, torchvision's own message says so
    for file in sorted([*package.glob("_C*.so"), *package.glob("_C*.pyd")]):
        try:
            _torch.ops.load_library(str(file))
        except OSError:
            continue
        return True
    return False
