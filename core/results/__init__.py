"""What lenses return: frozen records of numpy arrays, and their form as one npz file."""
