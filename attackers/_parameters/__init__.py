"""Parameters of attackers: their ranges, and how they are chosen on calibration identities."""
