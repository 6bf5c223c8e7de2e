"""The torch modules that torch.nn has not: each file can be read alone, and is copied whole into exported code."""
