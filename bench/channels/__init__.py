"""What happens to a photo between release and attacker."""
