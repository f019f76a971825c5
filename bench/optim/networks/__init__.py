"""Surrogates' networks, made cheaper to differentiate."""
