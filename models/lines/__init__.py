"""Leads, wires, catheters, tubes and clips as radiographs show them, drawn to measure what a method leaves of them."""
