"""What exported scripts copy as text: plain torch, no import of ours, at most 100 wide."""
