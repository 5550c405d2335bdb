"""States of widgets of remote kernels: what a page gets that is loaded again."""

from __future__ import annotations

from colony_jupyter.notebook.views.remote_widgets import RemoteStates

ABOUT = {"_model_name": "IntSliderModel", "_model_module": "controls", "_model_module_version": "2.0.0"}
LOCAL = {"method": "update_states", "states": {"local": {"state": {}}}, "buffer_paths": [["local", "state", "a"]]}


def test_the_states_are_added_to_those_of_the_local_kernel():
    states = RemoteStates()
    states.opened("one", {"state": {**ABOUT, "value": 3}}, [])
    states.changed("one", {"method": "update", "state": {"value": 7}}, [])
    states.changed("one", {"method": "custom", "content": {"value": 9}}, [])
    states.changed("unknown", {"method": "update", "state": {"value": 9}}, [])
    data, buffers = states.added_to(LOCAL, [b"a"])
    assert data["states"]["local"] == {"state": {}}
    assert data["states"]["one"] == {
        "model_name": "IntSliderModel",
        "model_module": "controls",
        "model_module_version": "2.0.0",
        "state": {**ABOUT, "value": 7},
    }
    assert (data["buffer_paths"], buffers) == ([["local", "state", "a"]], [b"a"])
    assert list(LOCAL["states"]) == ["local"]


def test_binary_parts_are_replaced_with_the_value_that_they_belong_to():
    states = RemoteStates()
    first = {"state": {"data": {"name": "x"}, "other": 1}, "buffer_paths": [["data", "bytes"], ["picture"]]}
    states.opened("one", first, [b"1", b"2"])
    states.changed("one", {"method": "update", "state": {"data": None}, "buffer_paths": []}, [])
    states.changed("one", {"method": "update", "state": {}, "buffer_paths": [["picture"]]}, [b"3"])
    data, buffers = states.added_to({"method": "update_states"}, [])
    assert data["states"]["one"]["state"] == {"data": None, "other": 1}
    assert (data["buffer_paths"], buffers) == ([["one", "state", "picture"]], [b"3"])


def test_a_widget_that_was_closed_is_not_shown_again():
    states = RemoteStates()
    states.opened("one", {"state": ABOUT}, [])
    states.closed("one")
    states.closed("one")
    assert states.added_to({"method": "update_states"}, [])[0]["states"] == {}
