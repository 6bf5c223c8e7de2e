"""A map of a layer beside the picture: pointing at a place of the map frames the pixels that it can depend on."""

import base64
import hashlib

import numpy as np

from core.results.receptive_field import ReceptiveField
from dashboard.components.conv_arithmetic import Palettes
from dashboard.components.shared import declare, picture_url
from dashboard.text import _

_component = declare("receptive_field")


def receptive_field(field: ReceptiveField, *, key: str, palettes: Palettes) -> None:
    """Show the map and the picture; the place to begin with is the strongest of the map.

    Raises:
        ValueError: there is no picture.
    """
    if field.picture is None:
        raise ValueError("a receptive field is drawn on a picture")
    values = np.ascontiguousarray(field.map, "<f4")
    row, column = np.unravel_index(int(np.nan_to_num(np.abs(values)).argmax()), values.shape)
    picture = picture_url(field.picture)
    numbers = base64.b64encode(values.tobytes()).decode()
    spans = {"rows": field.rows.tolist(), "columns": field.columns.tolist()}
    data = {
        **spans,
        "map": numbers,
        "picture": picture,
        "height": field.picture.shape[0],
        "width": field.picture.shape[1],
        "start": [int(row), int(column)],
        "shape": f"{field.layer_name} {values.shape}",
        "digest": hashlib.sha256(f"{field.unit}{numbers}{picture}{spans}".encode()).hexdigest()[:16],
        "palettes": palettes,
        "texts": {
            "map": _("Map {unit}: point here, or use the arrow keys").format(unit=field.unit),
            "picture": _("The picture"),
            "read": _(
                "Row {row}, column {column} of this map can depend on rows {top} to {bottom} and columns {left} to {right} of "
                "the picture: {n} of {all} pixels ({share})."
            ),
            "none": _("Row {row}, column {column} of this map depends on no pixel: it looks at padding alone."),
        },
    }
    _component(key=key, data=data)
