"""Files of strangers, read within limits: archives, arrays, CSV text, pictures; and the names that are found in them."""
