"""What monitoring reads besides counts: ages, pauses, the audit spool, and totals that finished jobs have left."""
