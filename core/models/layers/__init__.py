"""The families of layers. `core.models.layers.menu` lists them all."""
