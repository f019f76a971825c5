"""What an attacker makes of an encoder, from cloaks of calibration people that it made itself."""

from bench.adaptations.names import ADAPTATIONS as ADAPTATIONS
from bench.adaptations.names import make as make
