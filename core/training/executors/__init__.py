"""Ways to make the same steps: each gives the reference's curve within 1e-6, and its own bit for bit again."""
