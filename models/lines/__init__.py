"""Leads, wires, catheters, tubes and clips in a radiograph: found by a small network, and kept."""
