"""What a worker does: drive one stream at a desk, and send what it tells up one pipe."""
