"""The cloaking engine: it optimises perturbations on photos."""
