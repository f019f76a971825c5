"""All steps of a check, in the order in which they run: what matters most comes first."""

from __future__ import annotations

from functools import partial

from measuring import gpu_tests, parity, speed
from measuring.contest import OURS, THEIRS
from measuring.running import Step

STEPS: tuple[Step, ...] = (
    Step("embeddings", "parity", 30, partial(parity.embeddings, family="built-in")),
    Step("gradients", "parity", 30, partial(parity.gradients, family="built-in")),
    Step("graphs", "parity", 20, parity.graphs),
    Step("cloaks", "parity", 90, parity.cloaks),
    Step("embedding", "speed", 40, partial(speed.embedding, family="built-in")),
    *(
        Step(f"cloaking by {who}", "speed", 30, partial(speed.cloaking, family="built-in", attacker=who))
        for who in (*OURS, *THEIRS)
    ),
    Step("memory", "memory", 30, speed.memory),
    Step("tests", "parity", 60, gpu_tests.marked),
    Step("embeddings, facenet", "parity", 30, partial(parity.embeddings, family="facenet")),
    Step("gradients, facenet", "parity", 30, partial(parity.gradients, family="facenet")),
    Step("embedding, facenet", "speed", 30, partial(speed.embedding, family="facenet")),
    Step("embeddings, onnx", "parity", 30, partial(parity.embeddings, family="onnx")),
    Step("gradients, onnx", "parity", 30, partial(parity.gradients, family="onnx")),
    Step("embedding, onnx", "speed", 30, partial(speed.embedding, family="onnx")),
    *(
        Step(f"cloaking by {who}, onnx", "speed", 30, partial(speed.cloaking, family="onnx", attacker=who))
        for who in (*OURS, *THEIRS)
    ),
)
