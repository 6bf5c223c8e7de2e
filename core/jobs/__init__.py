"""Long work in processes of its own: the supervisor queues it, workers do it, clients ask for it."""
