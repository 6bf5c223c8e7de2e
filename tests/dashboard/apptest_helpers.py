"""AppTest for our components: what they were given, and messages from a browser that is not there.

Uses private parts of streamlit's AppTest; keep it in this one file.
"""

import json
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest


def component(app: AppTest, key: str) -> Any:
    """The element of the component with this key."""
    return next(element for element in app.get("bidi_component") if element.proto.id.endswith("-" + key))


def component_data(app: AppTest, key: str) -> dict[str, Any]:
    """What Python gave to the component."""
    return json.loads(component(app, key).proto.json)


def fire(app: AppTest, key: str, event: str, value: object) -> AppTest:
    """Send the trigger `event` as the component would, and run the page."""
    return fire_text(app, key, json.dumps([{"event": event, "value": value}]))


def fire_text(app: AppTest, key: str, text: str) -> AppTest:
    """Send this JSON text as the component's triggers: also what json.dumps would not write, such as 1e999."""
    states = app._tree.get_widget_states()
    identity = component(app, key).proto.id
    state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{identity}__events", json_trigger_value=text)
    states.widgets.append(state)
    return app._run(states)
