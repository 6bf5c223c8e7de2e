"""The way in: a space for every browser, the access code, the host's key, a login. Plain pages of our own, without scripts."""
