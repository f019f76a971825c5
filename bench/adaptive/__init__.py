"""What an attacker learns from cloaks of calibration people that it made itself, the defense a black box."""
