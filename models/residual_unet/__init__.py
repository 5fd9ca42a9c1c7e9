"""The one-pass suppressor: a small U-Net that names the bone's share of a radiograph in one evaluation."""
