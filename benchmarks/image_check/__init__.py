"""How the gate's image check was made and measured: its pictures, its training, its error rates."""
