"""Examples to learn from. The menu and the profiles are torch-free; loading happens in a worker."""
