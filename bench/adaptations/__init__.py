"""Adaptations: how an attacker changes its encoder, trained on training people that it cloaked itself."""

from bench.adaptations.names import ADAPTATIONS as ADAPTATIONS
from bench.adaptations.names import make as make
