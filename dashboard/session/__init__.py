"""What lasts longer than one run of a page's script: the visitor's experiment and run, and the server's one client."""
